"""One script for each stage; dvc.yaml has their order, inputs and outputs."""

import atexit
import gc
import sys

import sentigate.progress  # before torch, which a stage may import first

# A stage imports thousands of modules and keeps them to its end. Collecting garbage among them, on
# import and at exit, took a quarter of a short stage's time.
gc.set_threshold(10_000)
atexit.register(gc.freeze)

if sys.argv[0] == "-m":  # true until Python has found the stage's module, so before it is imported
    sentigate.progress.watch_stage()
