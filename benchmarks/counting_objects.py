"""`python counting_objects.py MODULE` runs a module, and counts how many Python objects it held.

The last line on stdout is the most memory blocks that Python's own allocator had given out at one
time, looked at every hundredth of a second: about one for each object of up to 512 bytes, which
nearly every tweet is. What Arrow and numpy hold is not among them. Two numbers: until Great
Expectations is imported, whose modules are a million objects, and from then on.
"""

from __future__ import annotations

import runpy
import sys
import threading
import time

most = [0, 0]


def watch() -> None:
    """Look for as long as the process lives."""
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
