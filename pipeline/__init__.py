"""One script a stage; dvc.yaml says in which order and on what."""

import sentigate  # noqa: F401  (before torch, which a stage may import first)
