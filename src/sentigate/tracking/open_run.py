"""A run that is open: a training logs to it, and a journal keeps each entry until it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentigate.errors import RegistryError
from sentigate.files import sha256_of
from sentigate.progress import doing

from .connection import connect, is_remote, later_if_away, mlflow_errors, tracking_uri
from .delivery import complete_runs, send
from .dotted_names import flatten, numbers
from .journal import Entry, new_journal, now

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient

RUN_WEIGHTS_TAG = "sentigate.weights_sha256"
EPOCH_METRICS = {
    "train_loss": "train.log_loss",
    "validation_loss": "validation.log_loss",
    "validation_accuracy": "validation.accuracy",
}
"""Column of reports/training.csv -> name of the metric, the same name that evaluate uses."""


class OpenRun:
    """A run to which a training logs.

    Every entry is written to a journal and sent to MLflow immediately. If MLflow does not answer,
    a message says so once, the training goes on, and ``complete_runs`` sends the rest later.
    """

    def __init__(self, name: str, tags: Mapping[str, str]) -> None:
        self._journal = new_journal()
        source = {"mlflow.source.name": "pipeline", "mlflow.source.type": "LOCAL"}
        start = {"name": name, "uri": tracking_uri(), "time": now(), "tags": {**source, **tags}}
        self._client: MlflowClient | None = None
        self._away = False
        self._add({"start": start}, raises=not is_remote())

    @property
    def id(self) -> str:
        """MLflow's id of the run; "" until MLflow has answered."""
        return self._journal.find("run") or ""

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log nested params under dotted names, in one call."""
        self._add({"params": {key: str(value) for key, value in flatten(params)}})

    def log_metrics(self, metrics: Mapping[str, Any], step: int = 0) -> None:
        """Log nested numbers under dotted names, in one call; None is left out."""
        self._add({"metrics": numbers(metrics), "step": step, "time": now()})

    def log_epoch(self, row: Mapping[str, float], prefix: str = "") -> None:
        """Log an epoch's figures as metrics whose names begin with ``prefix``, and print them."""
        self._log_row(row, prefix, int(row["epoch"]))
        figures = {f"{prefix}{key}": value for key, value in row.items() if key != "epoch"}
        shown = {"epoch": row["epoch"], **figures}
        print("  " + ", ".join(f"{key} {value:.4g}" for key, value in shown.items()), flush=True)

    def log_kept(self, epochs: pd.DataFrame, prefix: str = "") -> None:
        """Log the kept epoch's figures again after the last epoch, because MLflow shows the latest.

        Args:
            epochs: a row for each epoch, as ``training.engine.fit`` returns them.
            prefix: the prefix of the epochs in ``log_epoch``.
        """
        kept = epochs.loc[epochs["kept"] == 1]
        if kept.empty:  # no epoch's loss was finite
            return
        row = {str(key): value for key, value in kept.iloc[0].items()}
        self._log_row(row, prefix, len(epochs))
        self.log_metrics({f"{prefix}kept_epoch": row["epoch"]}, step=len(epochs))

    def _log_row(self, row: Mapping[str, Any], prefix: str, step: int) -> None:
        self.log_metrics({f"{prefix}{n}": row[key] for key, n in EPOCH_METRICS.items()}, step)

    def log_files(self, folder: Path, artifact_path: str) -> None:
        """Log all files of a folder; if MLflow does not answer, only the folder has them."""
        if self._client is None or self._away:
            return
        try:
            with mlflow_errors():
                self._client.log_artifacts(self.id, str(folder), artifact_path)
        except (RegistryError, OSError) as error:
            self._say_away(error)

    def tag(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        self._add({"tags": dict(tags)})

    def tag_weights(self, weights: Path) -> None:
        """Tag the run with the hash of its weights; later stages find the run by it."""
        self.tag({RUN_WEIGHTS_TAG: sha256_of(weights)})

    def end(self, status: str = "FINISHED") -> None:
        """Close the run as FINISHED or FAILED."""
        self._away = False  # the server may answer again
        self._add({"end": status, "time": now()})
        if self._journal.sent == len(self._journal.entries):
            self._journal.remove()
        else:
            self._journal.release()

    def _add(self, entry: Entry, *, raises: bool = False) -> None:
        self._journal.add(entry)
        if self._away:
            return
        try:
            self._client = self._client or connect()
            send(self._client, self._journal)
        except RegistryError as error:
            if raises:
                self._journal.remove()
                raise
            self._say_away(error)

    def _say_away(self, error: Exception) -> None:
        self._away = True
        print(
            f"  {error}\n  training goes on; its figures are kept in {self._journal.path}, and the "
            "next `dvc repro` that reaches MLflow completes the run",
            flush=True,
        )


def start_run(name: str, tags: Mapping[str, str] | None = None) -> OpenRun:
    """Send the journals of earlier executions, then open a run.

    Raises:
        RegistryError: MLflow's local database cannot be used. A server that does not answer
            raises nothing.
    """
    if not is_remote():
        complete_runs()
    else:
        with later_if_away("the entries of earlier runs"):
            complete_runs()
    return OpenRun(name, tags or {})


@contextmanager
def run_or_fail(name: str, tags: Mapping[str, str] | None = None) -> Iterator[OpenRun]:
    """Open a run, and end it as FAILED if the body raises; otherwise the caller ends it.

    Raises:
        RegistryError: MLflow's local database cannot be used.
    """
    with doing("opening an MLflow run"):
        run = start_run(name, tags)
    try:
        yield run
    except BaseException:
        run.end("FAILED")
        raise
