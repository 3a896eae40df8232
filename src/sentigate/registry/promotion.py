"""Promotion: a version that is better than the champion takes over the champion's alias."""

from __future__ import annotations

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from sentigate.errors import LostModelError, RegistryError, shorten
from sentigate.model.answers import log_losses
from sentigate.tracking.connection import connect, mlflow_errors

from .loading import PredictProba, model_files, predictor_of
from .training_keys import read_keys, unseen
from .versions import (
    FILES_TAG,
    NETWORK_WORSE_TAG,
    REASON_TAG,
    SPLIT_TAG,
    TABLE_TAG,
    WORSE_TAG,
    aliased,
)

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

    from sentigate.settings.params import RegisterParams


class Verdict(NamedTuple):
    """Whether a newcomer is better than the champion, and the reason as a sentence."""

    better: bool
    reason: str


class Standing(NamedTuple):
    """How a model stands beside the linear baseline on validation texts.

    Attributes:
        worse: whether the model's answers are worse, by more than chance.
        network_worse: whether the answers of the network alone are worse, by more than chance.
        sentence: both comparisons in words, with figures.
    """

    worse: bool
    network_worse: bool
    sentence: str


def judge(
    newcomer: PredictProba,
    champion: PredictProba,
    rows: pd.DataFrame,
    *,
    version: str,
    level: float,
) -> Verdict:
    """Compare two models by log loss on the same texts.

    The test is a one-sided paired t-test (Student 1908) on the texts' log losses. Both models
    answer each text, so the difficulty of a text cancels out.

    Args:
        newcomer: the newcomer.
        champion: the champion, which answers the same classes.
        rows: validation texts that neither was trained on: columns raw (str) and label (the class's
            index).
        version: version of the champion, for the reason.
        level: significance level; the newcomer is better if the test's p is below it.
    """
    from scipy.stats import ttest_rel

    if len(rows) < 2:
        return Verdict(False, f"version {version} was trained on all validation texts except "
                       f"{len(rows)}: there is nothing to compare on")  # fmt: skip
    texts, labels = rows["raw"].tolist(), rows["label"].to_numpy()
    mine, theirs = (log_losses(labels, model(texts)) for model in (newcomer, champion))
    same = np.array_equal(mine, theirs)
    with warnings.catch_warnings():
        # A model that knows no word of these texts gives all of them the same answer.
        warnings.filterwarnings("ignore", "Precision loss", RuntimeWarning)
        p = 1.0 if same else float(ttest_rel(mine, theirs, alternative="less").pvalue)
    better = p < level
    return Verdict(
        better,
        f"validation log loss {mine.mean():.4f} against version {version}'s {theirs.mean():.4f} "
        f"on {len(rows):,} texts that neither was trained on (paired t-test, p = {p:.2g}, "
        f"{'below' if better else 'not below'} {level:g})",
    )


@mlflow_errors()
def promote(
    version: ModelVersion,
    newcomer: PredictProba,
    rows: pd.DataFrame,
    rule: str,
    settings: RegisterParams,
    standing: Standing,
) -> dict[str, Any]:
    """Make a version the champion if it is the first or a better one, otherwise the challenger.

    The first version becomes the champion even if it is worse than the linear baseline, so that a
    model can be served; its tags and description say so. The first version that is not worse takes
    over from it. The test split is not used.

    Args:
        version: the version, with tag ``split_sha256``.
        newcomer: the version's model.
        rows: today's validation texts: columns id, split, group, raw and label, the index of a
            class of the newcomer.
        rule: rule of the split.
        settings: the aliases, and the significance level.
        standing: how the version's model stands beside the linear baseline.

    Returns:
        The content of reports/registration.json: name, version, alias, promoted, reason, and the
        standing as worse_than_baseline, network_worse_than_baseline and beside_baseline.

    Raises:
        RegistryError: MLflow does not answer.
    """
    best = aliased(version.name, settings.alias)
    _say_standing(version, standing)
    if best is not None and best.version == version.version:
        verdict = Verdict(True, best.tags.get(REASON_TAG, "already the champion"))
    else:
        level = settings.significance_level
        verdict = _compare(version, best, newcomer, rows, rule, level, standing.worse)
        _give_alias(version, verdict, settings)
    return {
        "name": version.name,
        "version": int(version.version),
        "alias": settings.alias if verdict.better else settings.challenger_alias,
        "promoted": verdict.better,
        "reason": verdict.reason,
        WORSE_TAG: standing.worse,
        NETWORK_WORSE_TAG: standing.network_worse,
        "beside_baseline": standing.sentence,
    }


def _say_standing(version: ModelVersion, standing: Standing) -> None:
    """Write the standing to the tags, and to the description, which the MLflow UI shows first."""
    client, name, number = connect(), version.name, version.version
    for tag, worse in ((WORSE_TAG, standing.worse), (NETWORK_WORSE_TAG, standing.network_worse)):
        client.set_model_version_tag(name, number, tag, str(worse).lower())
    client.update_model_version(name, number, standing.sentence)


def _compare(
    version: ModelVersion,
    best: ModelVersion | None,
    newcomer: PredictProba,
    rows: pd.DataFrame,
    rule: str,
    level: float,
    worse: bool,
) -> Verdict:
    if best is None:
        alone = int(version.version) == 1
        reason = "the first version" if alone else "no version was the champion"
        return Verdict(
            True, f"{reason}, though worse than the linear baseline" if worse else reason
        )
    before = f"version {best.version}, the previous champion,"
    same = best.tags.get(FILES_TAG, "") == version.tags.get(FILES_TAG)
    table = best.tags.get(TABLE_TAG)  # None if an older sentigate registered it
    if table not in (None, version.tags.get(TABLE_TAG)):
        return Verdict(
            False,
            f"version {best.version} was trained on another table, {table}: "
            "give this table a name of its own in datasets/X.yaml:source.name",
        )
    with TemporaryDirectory() as folder:
        try:
            files = model_files(f"models:/{best.name}/{best.version}", Path(folder))
            keys, champion = read_keys(files), predictor_of(files)
            champion(rows["raw"].head(2).tolist())
        except LostModelError:
            return Verdict(True, f"{before} cannot be loaded")
        except RegistryError:
            raise  # MLflow does not answer: neither version is better
        except Exception as error:  # the model's code, an older version of ours, may raise anything
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"
            return Verdict(True, f"{before} no longer runs ({reason})")
        if champion.classes.names != newcomer.classes.names:
            theirs, ours = (shorten(", ".join(m.classes.names), 100) for m in (champion, newcomer))
            return Verdict(
                False,
                f"version {best.version} answers {theirs}, this version {ours}, so they cannot be "
                "compared; to serve this version, give it that version's alias in the MLflow UI",
            )
        if same:
            return Verdict(True, f"the same model as {before} with today's code")
        if keys is not None:
            rows = rows.loc[unseen(rows, rule, keys)]
        elif best.tags.get(SPLIT_TAG) != version.tags.get(SPLIT_TAG):
            return Verdict(
                False,
                f"version {best.version} has no list of its training texts, and its split was "
                "another one; to promote this version, remove the alias of that version",
            )
        best_is_worse = best.tags.get(WORSE_TAG) == "true"
        if worse != best_is_worse:
            names = f"version {best.version}", "this version"
            bad, good = names if best_is_worse else names[::-1]
            return Verdict(best_is_worse, f"{bad} is worse than the linear baseline, {good} is not")
        verdict = judge(newcomer, champion, rows, version=str(best.version), level=level)
        thresholds = {getattr(model, "threshold", None) for model in (newcomer, champion)}
        if verdict.better or len(thresholds) == 1:
            return verdict
        return Verdict(
            False,
            f"{verdict.reason}; their thresholds differ, which the log loss does not measure: to "
            "serve this version, give it that version's alias in the MLflow UI",
        )


def _give_alias(version: ModelVersion, verdict: Verdict, settings: RegisterParams) -> None:
    client, name, number = connect(), version.name, version.version
    alias, other = settings.alias, settings.challenger_alias
    client.set_model_version_tag(name, number, REASON_TAG, verdict.reason)
    if not verdict.better:
        client.set_registered_model_alias(name, other, number)
        return
    client.set_registered_model_alias(name, alias, number)
    challenger = aliased(name, other)
    if challenger is not None and challenger.version == number:
        client.delete_registered_model_alias(name, other)
