"""LSTM sentiment classification: the library under the pipeline's stages."""
