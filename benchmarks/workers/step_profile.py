"""Profile a training step: print operation -> share of the processor time.

`python step_profile.py FOLDER MODEL PRECISION`, with the arguments of bare_loop.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bare_loop import make_steps
from torch.profiler import ProfilerActivity, profile

from sentigate.training.parallel_directions import subnormals_are_zero

STEPS, SHOWN = 50, 6


def main() -> None:
    """Profile some steps, after as many warm-up steps."""
    steps, _ = make_steps(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    with subnormals_are_zero():
        for step in steps[:STEPS]:
            step()
        with profile(activities=[ProfilerActivity.CPU]) as profiler:
            for step in steps[:STEPS]:
                step()
    events = profiler.key_averages()
    total = sum(event.self_cpu_time_total for event in events)
    slowest = sorted(events, key=lambda event: -event.self_cpu_time_total)[:SHOWN]
    print(json.dumps({event.key: event.self_cpu_time_total / total for event in slowest}))


if __name__ == "__main__":
    main()
