"""One script a stage; dvc.yaml says in which order and on what."""

import atexit
import gc
import sys

import sentigate.progress  # before torch, which a stage may import first

# A stage imports thousands of modules, which stay to its end: looking through them for garbage,
# as they come and once more at exit, took a quarter of a short stage's time.
gc.set_threshold(10_000)
atexit.register(gc.freeze)

if sys.argv[0] == "-m":  # while Python looks for the stage that it is to run: none is imported yet
    sentigate.progress.watch_stage()
