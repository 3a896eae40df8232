"""One script a stage; dvc.yaml says in which order and on what."""

import atexit
import gc

import sentigate  # noqa: F401  (before torch, which a stage may import first)

# A stage imports thousands of modules, which stay to its end: looking through them for garbage,
# as they come and once more at exit, took a quarter of a short stage's time.
gc.set_threshold(10_000)
atexit.register(gc.freeze)
