"""Load a registered model for the service, and notice when its alias moves."""

from __future__ import annotations

import re
from pathlib import Path

from sentigate.errors import LostModelError
from sentigate.serving.batching import Served

from .loading import model_files, predictor_of
from .versions import aliased

ALIASED = re.compile(r"models:/([^/@]+)@([^/@]+)")
NUMBERED = re.compile(r"models:/([^/@]+)/(\d+)")


def load_served(uri: str, folder: Path) -> Served:
    """Load a model; its files stay in a new folder inside ``folder``.

    Args:
        uri: URI of a model in the registry, a run or a folder. An alias is resolved once.
        folder: An existing folder.

    Raises:
        RegistryError: the model does not exist, sentigate did not make it, or MLflow does not
            answer.
    """
    name, version = uri, ""
    if found := ALIASED.fullmatch(uri):
        name, alias = found.groups()
        promoted = aliased(name, alias)
        if promoted is None:
            raise LostModelError(
                f"no version of {name} has the alias {alias}. `make train` registers a model."
            )
        version = str(promoted.version)
    elif found := NUMBERED.fullmatch(uri):
        name, version = found.groups()
    target = folder / (version or "model")
    target.mkdir(exist_ok=True)
    files = model_files(f"models:/{name}/{version}" if version else uri, target)
    return Served(predictor_of(files), name, version, files)


def newer_version(uri: str, served: Served, folder: Path) -> Served | None:
    """Return the version that has the alias of ``uri`` now; None if it is the served one.

    Raises:
        RegistryError: MLflow does not answer, or the new version cannot be loaded.
    """
    found = ALIASED.fullmatch(uri)
    if found is None:
        return None
    promoted = aliased(*found.groups())
    if promoted is None or str(promoted.version) == served.version:
        return None
    return load_served(uri, folder)
