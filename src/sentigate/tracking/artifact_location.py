"""Where MLflow keeps artifacts beside a SQLite file: a project that is moved takes them along.

MLflow makes every artifact's path absolute when it is written, and knows no other way to say it.
"""

from __future__ import annotations

from pathlib import Path

ARTIFACTS = "mlartifacts"
# Each column of MLflow's tables that holds such a path.
COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def local_artifacts(uri: str) -> str | None:
    """The folder of artifacts beside the SQLite file of a tracking URI; None for a server."""
    if not uri.startswith("sqlite:"):
        return None
    from sqlalchemy.engine import make_url

    database = make_url(uri).database or ""
    return str(Path(database).absolute().parent / ARTIFACTS)


def keep_beside(uri: str, known: str, artifacts: str) -> None:
    """Tell the database of a project that was moved or copied where its artifacts are now.

    A location that ``local_artifacts`` did not give stays: a server's, or one that somebody chose.

    Args:
        uri: of the SQLite file.
        known: where it says that they are.
        artifacts: where they are to be, beside it.
    """
    ours = known.startswith("/") and known.endswith(f"/{ARTIFACTS}")
    here, there = Path(artifacts).is_dir(), Path(known).is_dir()
    if known == artifacts or not ours or (there and not here):
        return
    from sqlalchemy import create_engine, text

    engine = create_engine(uri)
    with engine.begin() as connection:
        for table, column in COLUMNS:
            connection.execute(
                text(
                    f"UPDATE {table} SET {column} = :new || substr({column}, :length + 1) "  # noqa: S608 (names of ours)
                    f"WHERE {column} = :old OR substr({column}, 1, :length + 1) = :old || '/'"
                ),
                {"new": artifacts, "old": known, "length": len(known)},
            )
    engine.dispose()
