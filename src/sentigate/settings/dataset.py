"""One data set of params.yaml: its source, labels, cleaning, split and thresholds."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from sentigate.errors import shorten
from sentigate.model.strict_model import StrictModel
from sentigate.model.text.cleaning_steps import CleaningSteps

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
"""A name that DVC can interpolate into a stage's parameters, and that is valid in a path."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class VaderSource(StrictModel):
    """The rated sentences inside the source distribution of vaderSentiment, fetched with pip."""

    kind: Literal["vader"]
    version: str
    sha256: Sha256
    threshold: Annotated[float, Field(ge=0.0, le=4.0)]
    """A mean rating, in [-4, 4], is Neutral if it is closer to zero than this."""


class TwitterSource(StrictModel):
    """The tweets about entities from Kaggle, from the mirror or with kagglehub."""

    kind: Literal["twitter"]
    handle: str
    sha256: dict[str, Sha256]
    """File name -> SHA-256, for each CSV file of the data set."""
    context_column: Literal["entity"] | None = None
    """Column with the target of each sentiment, which becomes the first token of the tweet."""


class ImdbSource(StrictModel):
    """The Large Movie Review Dataset (Maas et al. 2011), from the mirror or by HTTP."""

    kind: Literal["imdb"]
    url: str
    sha256: tuple[Sha256, ...] = Field(min_length=1, strict=False)
    """SHA-256 of each accepted archive."""


class CsvSource(StrictModel):
    """The user's table at a path or URL: CSV, TSV, JSON lines or Parquet, also compressed."""

    kind: Literal["csv"]
    path: str
    name: Name | None = None
    """Name of the table, under which its models are registered; None: the name of the file."""
    sha256: Sha256 | None = None
    text_column: str
    sentiment_column: str
    context_column: str | None = None
    """Column with the target of each sentiment, which becomes the first token of the text."""
    id_column: str | None = None
    group_column: str | None = None
    slice_column: str | None = None
    fold_column: str | None = None


Source = Annotated[
    VaderSource | TwitterSource | ImdbSource | CsvSource, Field(discriminator="kind")
]


class CleanParams(StrictModel):
    """How the clean stage changes texts, and which rows it drops."""

    steps: CleaningSteps
    folds: tuple[Literal["train", "validation", "test"], ...] | None = Field(
        default=None, min_length=1, strict=False
    )
    """Published folds to keep; None: keep every row."""
    drop_duplicates: bool = False
    """Drop a row if an earlier row has the same cleaned text and label."""
    drop_conflicts: bool = False
    """Drop every row whose cleaned text occurs with both labels."""


class SplitParams(StrictModel):
    """How rows are split into train, validation and test."""

    rule: Literal["random", "grouped", "published"]
    stratify: bool = False
    test_size: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    """Share of rows in test; None with rule published, whose folds define the test split."""
    validation_size: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Share of the training rows that becomes validation."""
    near_duplicates: Literal["keep_together", "allow"] = "allow"
    """Whether near-copies stay in one split, like the rows of a group."""

    @model_validator(mode="after")
    def _test_size_fits_rule(self) -> SplitParams:
        if (self.test_size is None) != (self.rule == "published"):
            raise ValueError(
                f"test_size is {shorten(self.test_size)} with rule {self.rule}; "
                "allowed: none with published, a share with the others"
            )
        return self

    @model_validator(mode="after")
    def _near_duplicates_fit_rule(self) -> SplitParams:
        if self.near_duplicates == "keep_together" and self.rule != "grouped":
            raise ValueError(
                f"near_duplicates is 'keep_together' with rule {self.rule}; "
                "allowed: allow, or rule grouped"
            )
        return self


class DatasetGates(StrictModel):
    """Thresholds of one data set."""

    min_rows: Annotated[int, Field(ge=1)]
    min_test_accuracy: Share


class Dataset(StrictModel):
    """One entry of ``datasets:``."""

    source: Source
    labels: dict[str, Literal[0, 1] | None]
    """Each sentiment that the source may have -> 1 positive, 0 negative, None dropped."""
    clean: CleanParams
    split: SplitParams
    model: Name
    """The recommended entry of ``models:``."""
    gates: DatasetGates

    @model_validator(mode="after")
    def _both_classes(self) -> Dataset:
        if {0, 1} - set(self.labels.values()):
            raise ValueError(
                f"labels is {shorten(self.labels)}; allowed: at least one sentiment mapped to 1 "
                "and one to 0"
            )
        return self

    @model_validator(mode="after")
    def _folds_have_an_effect(self) -> Dataset:
        """Check here, because source has the folds, and clean and split use them."""
        source, folds = self.source, self.clean.folds
        if isinstance(source, CsvSource):
            published = source.fold_column is not None
            used = self.split.rule == "published" or folds is not None
            if published and not used:
                raise ValueError(
                    f"source.fold_column is {shorten(source.fold_column)} with split.rule "
                    f"{self.split.rule}, which does not use it; allowed: no fold_column, or "
                    "split.rule published, or the folds to keep in clean.folds"
                )
            lacking = "source.fold_column"
        else:
            published, lacking = source.kind != "vader", "a source with folds"
        if folds is not None and not published:
            raise ValueError(
                f"clean.folds is {shorten(list(folds))} without {lacking}; allowed: no folds"
            )
        if self.split.rule == "published" and folds is not None and len(set(folds)) < 2:
            raise ValueError(
                f"clean.folds is {shorten(list(folds))} with split.rule published, which makes its "
                "splits from the folds; allowed: no folds, or train and another"
            )
        if self.split.rule == "published" and not published:
            raise ValueError(f"split.rule is published without {lacking}; allowed: random, grouped")
        return self


def table_name(dataset: str, entry: Dataset) -> str:
    """Return the data set's name; for the user's table, ``name`` or the name of the file."""
    source = entry.source
    if not isinstance(source, CsvSource):
        return dataset
    stem = PurePosixPath(urlsplit(source.path).path).name.split(".")[0]
    return source.name or re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") or dataset
