"""LSTM sentiment classification: the library under the pipeline's stages."""

import os

# Idle OpenMP threads sleep instead of spinning: beside another busy process, spinning makes a
# step up to 100 times slower. Read by libgomp when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
