"""LSTM sentiment classification: the library under the pipeline's stages."""

import os

# Idle OpenMP threads sleep instead of spinning: beside another busy process, spinning makes a
# step up to 100 times slower. Read by libgomp when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Matplotlib, which torchmetrics imports too, keeps its list of fonts in the user's home. Not every
# user has one, nor a name, without which pathlib raises.
os.access(os.path.expanduser("~"), os.W_OK) or os.environ.setdefault(  # noqa: PTH111
    "MPLCONFIGDIR",
    os.path.abspath(".cache/matplotlib"),  # noqa: PTH100
)
