"""`python counting_objects.py MODULE` runs a module and counts the Python objects that it held.

The last line on stdout holds the largest number of memory blocks of Python's own allocator at one
time, sampled every hundredth of a second. An object of up to 512 bytes, such as nearly every tweet,
takes about one block. Memory of Arrow and numpy is not counted. The line has two numbers: before
and after the import of Great Expectations, because its modules are a million objects.
"""

from __future__ import annotations

import runpy
import sys
import threading
import time

most = [0, 0]


def watch() -> None:
    """Sample until the process ends."""
    while True:
        gate = "great_expectations" in sys.modules
        most[gate] = max(most[gate], sys.getallocatedblocks())
        time.sleep(0.01)


if __name__ == "__main__":
    threading.Thread(target=watch, daemon=True).start()
    sys.path[0] = "."
    module = sys.argv[1]
    sys.argv = sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    print(*most)
