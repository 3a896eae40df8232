"""What a trained model is, and nothing else: copied whole into every registered model.

It imports nothing outside itself but third parties.
"""
