"""The number of examples that hypothesis tries."""

from __future__ import annotations

import hypothesis


def examples(count: int) -> hypothesis.settings:
    """Return settings with at most ``count`` examples: `make test-fast` tries fewer."""
    return hypothesis.settings(max_examples=min(count, hypothesis.settings.default.max_examples))
