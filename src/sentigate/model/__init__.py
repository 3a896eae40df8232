"""A trained model: its files, its network and its predictions.

Every registered model holds a copy of this folder. So it imports only itself and third parties.
"""
