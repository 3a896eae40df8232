"""The folder of MLflow's artifacts beside a SQLite file, in a project that may be moved.

MLflow stores absolute paths of artifacts; ``keep_beside`` updates them after a move.
"""

from __future__ import annotations

from pathlib import Path

ARTIFACTS = "mlartifacts"
PATH_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""(table, column) of MLflow's database for each column that holds an artifact's path."""


def local_artifacts(uri: str) -> str | None:
    """Return the folder of artifacts beside a tracking URI's SQLite file; None for a server."""
    if not uri.startswith("sqlite:"):
        return None
    from sqlalchemy.engine import make_url

    database = make_url(uri).database or ""
    return str(Path(database).absolute().parent / ARTIFACTS)


def keep_beside(uri: str, known: str, artifacts: str) -> None:
    """Update the paths in the database of a project that was moved or copied.

    Nothing changes if ``known`` is the location of a server, or one that a user chose.

    Args:
        uri: tracking URI of the SQLite file.
        known: folder of artifacts according to the database.
        artifacts: folder of artifacts beside the database.
    """
    ours = known.startswith("/") and known.endswith(f"/{ARTIFACTS}")
    here, there = Path(artifacts).is_dir(), Path(known).is_dir()
    if known == artifacts or not ours or (there and not here):
        return
    from sqlalchemy import create_engine, text

    engine = create_engine(uri)
    with engine.begin() as connection:
        for table, column in PATH_COLUMNS:
            connection.execute(
                text(
                    f"UPDATE {table} SET {column} = :new || substr({column}, :length + 1) "  # noqa: S608 (our own names)
                    f"WHERE {column} = :old OR substr({column}, 1, :length + 1) = :old || '/'"
                ),
                {"new": artifacts, "old": known, "length": len(known)},
            )
    engine.dispose()
