"""A run that has ended: how it is found by its weights, and what later stages add to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentigate.errors import RegistryError
from sentigate.files import sha256_of

from .connection import EXPERIMENT, connect, mlflow_errors, tracking_uri
from .delivery import complete_runs
from .dotted_names import numbers
from .journal import now
from .open_run import RUN_WEIGHTS_TAG, OpenRun

if TYPE_CHECKING:
    from mlflow import MlflowClient

SAME = 1e-6
"""Two values of a figure that differ by at most this are the same.

Our files have six decimals; MLflow has an epoch's figures with more.
"""


class EndedRun:
    """A run that has ended, to which later stages add figures, files and tables.

    Attributes:
        client: MLflow's client.
        id: MLflow's id of the run.
    """

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self.client = client
        self.id = run_id

    @mlflow_errors()
    def log_metrics(self, metrics: Mapping[str, Any], step: int) -> None:
        """Log nested numbers under dotted names, except those that the run has already.

        Args:
            metrics: figures of the kept weights; None is left out.
            step: number of epochs trained, so that MLflow shows these figures as the latest.
        """
        from mlflow.entities import Metric

        logged = self.client.get_run(self.id).data.metrics
        new = [
            Metric(key, value, now(), step)
            for key, value in numbers(metrics).items()
            if abs(logged.get(key, float("inf")) - value) > SAME
        ]
        self.client.log_batch(self.id, metrics=new)

    @mlflow_errors()
    def log_table(self, name: str, path: Path, context: str) -> None:
        """Log a file as a data set that the run used, with the file's SHA-256 as digest."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        source = json.dumps({"uri": path.as_posix()})
        digest = sha256_of(path)
        dataset = Dataset(
            name, digest[:36], "local", source, profile=json.dumps({"sha256": digest})
        )
        entry = DatasetInput(dataset, [InputTag("mlflow.data.context", context)])
        self.client.log_inputs(self.id, [entry])

    @mlflow_errors()
    def log_files(self, paths: Iterable[Path], root: Path = Path()) -> None:
        """Log files and whole folders under their paths relative to ``root``."""
        for path in paths:
            place = path.relative_to(root)
            if path.is_dir():
                self.client.log_artifacts(self.id, str(path), place.as_posix())
            else:
                self.client.log_artifact(self.id, str(path), place.parent.as_posix())

    @mlflow_errors()
    def tags(self) -> dict[str, str]:
        """Return the run's tags."""
        return dict(self.client.get_run(self.id).data.tags)

    @mlflow_errors()
    def mark(self, status: str) -> None:
        """Set the status; the end time stays, because it shows how long training took."""
        info = self.client.get_run(self.id).info
        if info.status != status:
            self.client.set_terminated(self.id, status, info.end_time)


@mlflow_errors()
def find_run(weights: Path, name: str) -> EndedRun:
    """Return the newest run that trained exactly these weights.

    If MLflow has no run of the weights, because DVC restored them from its cache or a remote, a run
    is created for them and tagged ``sentigate.restored``.

    Args:
        weights: file of weights.
        name: name for a created run.

    Raises:
        RegistryError: MLflow does not answer.
    """
    complete_runs()
    client = connect()
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    digest = sha256_of(weights)
    found = client.search_runs(
        [experiment.experiment_id],
        f"tags.`{RUN_WEIGHTS_TAG}` = '{digest}'",
        order_by=["attributes.start_time DESC"],
        max_results=1,
    )
    if found:
        return EndedRun(client, found[0].info.run_id)
    run = OpenRun(name, {RUN_WEIGHTS_TAG: digest, "sentigate.restored": "true"})
    run.end()
    if not run.id:
        raise RegistryError(f"MLflow at {tracking_uri()} stopped answering; run `dvc repro` again")
    return EndedRun(client, run.id)
