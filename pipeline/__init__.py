"""One script a stage; dvc.yaml says in which order and on what."""
