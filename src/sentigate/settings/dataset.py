"""One data set, a file of datasets/: its source, labels, cleaning, split and thresholds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from sentigate.errors import shorten
from sentigate.model.labels import BINARY, Classes
from sentigate.model.strict_model import StrictModel
from sentigate.model.text.cleaning_steps import CleaningSteps

from .plain_names import Name, Sha256, plain_name, with_plain_names
from .table import Fold, TableSource
from .yaml_file import flow_mapping, flow_sequence

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Rating = Annotated[float, Field(ge=-4.0, le=4.0)]


class VaderSource(StrictModel):
    """The rated sentences inside the source distribution of vaderSentiment, fetched with pip."""

    kind: Literal["vader"]
    version: str
    sha256: Sha256
    threshold: Annotated[float, Field(ge=0.0, le=4.0)] | None = None
    """A mean rating, in [-4, 4], is Neutral if it is closer to zero than this, or else Positive or
    Negative."""
    bands: tuple[Rating, ...] | None = Field(default=None, min_length=1, strict=False)
    """Borders between bands of mean ratings, which have the sentiments "1", "2", ... A rating at a
    border is in the band that is farther from zero."""

    @model_validator(mode="after")
    def _threshold_or_bands(self) -> VaderSource:
        if (self.threshold is None) == (self.bands is None):
            raise ValueError(
                f"threshold is {shorten(self.threshold)} with bands "
                f"{shorten(self.bands and list(self.bands))}; allowed: one of them"
            )
        if self.bands is not None and list(self.bands) != sorted(set(self.bands)):
            raise ValueError(f"bands is {shorten(list(self.bands))}; allowed: rising numbers")
        return self


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
    sentiment: Literal["folder", "stars"]
    """folder: Positive or Negative; stars: "1" to "4" and "7" to "10", from the file's name."""


Source = Annotated[
    VaderSource | TwitterSource | ImdbSource | TableSource, Field(discriminator="kind")
]


class CleanParams(StrictModel):
    """How the clean stage changes texts, and which rows it drops."""

    steps: CleaningSteps
    folds: tuple[Fold, ...] | None = Field(default=None, min_length=1, strict=False)
    """Published folds to keep; None: keep every row."""
    drop_duplicates: bool = False
    """Drop a row if an earlier row has the same cleaned text and label."""
    drop_conflicts: bool = False
    """Drop every row whose cleaned text occurs with several labels."""
    min_class_share: Annotated[float, Field(ge=0.0, le=0.5)] | None = None
    """Smallest share of the rows that a class may have; None: ``gates.min_class_share``."""


class SplitParams(StrictModel):
    """How rows are split into train, validation and test."""

    rule: Literal["random", "grouped", "by_time", "published"]
    stratify: bool = False
    test_size: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    """Share of rows in test; None with rule published, whose folds define the test split."""
    validation_size: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None
    """Share of the training rows that becomes validation; None with rule published, if the data
    has a published validation fold beside test."""
    near_duplicates: Literal["keep_together", "allow"] = "allow"
    """Whether near-copies stay in one split, like the rows of a group."""

    @model_validator(mode="after")
    def _sizes_fit_rule(self) -> SplitParams:
        if (self.test_size is None) != (self.rule == "published"):
            raise ValueError(
                f"test_size is {shorten(self.test_size)} with rule {self.rule}; "
                "allowed: none with published, a share with the others"
            )
        if self.validation_size is None and self.rule != "published":
            raise ValueError(
                f"validation_size is None with rule {self.rule}; allowed: a share, such as 0.1, or "
                "rule published with a validation fold"
            )
        return self

    @model_validator(mode="after")
    def _stratify_fits_rule(self) -> SplitParams:
        if self.stratify and self.rule == "by_time":
            raise ValueError(
                "stratify is true with rule by_time, which takes the newest rows whatever their "
                "class; allowed: false, or another rule"
            )
        return self

    @model_validator(mode="after")
    def _near_duplicates_fit_rule(self) -> SplitParams:
        if self.near_duplicates == "keep_together" and self.rule not in ("grouped", "by_time"):
            raise ValueError(
                f"near_duplicates is 'keep_together' with rule {self.rule}; "
                "allowed: allow, or rule grouped or by_time"
            )
        return self


class DatasetGates(StrictModel):
    """Thresholds of one data set."""

    min_rows: Annotated[int, Field(ge=1)]
    min_test_accuracy: Share


class Dataset(StrictModel):
    """The values of one file of datasets/."""

    source: Source
    classes: Classes
    labels: dict[str, str | None]
    """Each sentiment that the source may have -> the name of its class; None: rows are dropped."""
    clean: CleanParams
    split: SplitParams
    model: Name
    """The recommended entry of ``models:``."""
    gates: DatasetGates

    @model_validator(mode="before")
    @classmethod
    def _numbers_and_truth_values_are_names(cls, values: Any) -> Any:
        """Read ``1: good`` as ``"1": good``; refuse the labels of older versions."""
        if not isinstance(values, dict) or not isinstance(values.get("labels"), dict):
            return values
        labels = with_plain_names(values["labels"], "labels")
        classes = values.get("classes")
        if classes is None:
            _refuse_labels_without_classes(labels)
            return values
        if isinstance(classes, list | tuple):
            ready = flow_sequence(str(plain_name(name)) for name in classes)
            raise ValueError(
                f"classes is {shorten(classes)}; allowed: a section with names. "
                f"Write in this file:\nclasses: {{names: {ready}}}"
            )
        names = classes.get("names") if isinstance(classes, dict) else None
        if isinstance(names, list | tuple):
            names = [plain_name(name) for name in names]
            classes = classes | {"names": names}
            _refuse_numbers_of_classes(labels, names)
        labels = {key: plain_name(value) for key, value in labels.items()}
        return values | {"classes": classes, "labels": labels}

    @model_validator(mode="before")
    @classmethod
    def _kind_of_older_versions(cls, values: Any) -> Any:
        source = values.get("source") if isinstance(values, dict) else None
        if isinstance(source, dict) and source.get("kind") == "csv":
            raise ValueError(
                "source.kind is 'csv', the name of older versions for a table. Write under "
                "source:\n  kind: table"
            )
        return values

    @model_validator(mode="after")
    def _bands_have_labels(self) -> Dataset:
        bands = self.source.bands if isinstance(self.source, TableSource) else None
        if bands is None:
            return self
        sentiments = [str(1 + number) for number in range(len(bands) + 1)]
        lacking = [each for each in sentiments if each not in self.labels]
        others = [each for each in self.labels if each not in ("", *sentiments)]
        if lacking or others:
            lines = {each: self.labels.get(each) for each in sentiments}
            lines |= {each: name for each, name in self.labels.items() if not each}
            raise ValueError(
                f"labels has {', '.join(map(shorten, self.labels))} with source.bands "
                f"{list(bands)}; allowed: the bands {', '.join(map(shorten, sentiments))}, and '' "
                "for rows without a number. Write in this file, with a class of classes.names "
                f"instead of null; null drops the rows:\nlabels: {flow_mapping(lines)}"
            )
        return self

    @model_validator(mode="after")
    def _each_class_has_a_sentiment(self) -> Dataset:
        names = self.classes.names
        for sentiment, name in self.labels.items():
            if name is not None and name not in names:
                raise ValueError(
                    f"labels maps {shorten(sentiment)} to {shorten(name)}; allowed (classes.names, "
                    f"or null, which drops its rows): {', '.join(names)}, null"
                )
        for name in names:
            if name not in self.labels.values():
                raise ValueError(
                    f"labels maps no sentiment to {shorten(name)}; allowed: at least one for each "
                    f"of classes.names: {', '.join(names)}"
                )
        return self

    @model_validator(mode="after")
    def _folds_have_an_effect(self) -> Dataset:
        """Check here, because source has the folds, and clean and split use them."""
        source, folds = self.source, self.clean.folds
        if isinstance(source, TableSource):
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

    @model_validator(mode="after")
    def _published_folds_have_two_sides(self) -> Dataset:
        folds = self.source.folds if isinstance(self.source, TableSource) else None
        if self.split.rule != "published" or folds is None:
            return self
        if "train" not in folds.values() or not {"validation", "test"} & set(folds.values()):
            raise ValueError(
                f"source.folds is {shorten(folds)} with split.rule published; allowed: at least "
                "one name for train, and one for test or validation"
            )
        return self

    @model_validator(mode="after")
    def _time_has_dates(self) -> Dataset:
        source = self.source
        dated = isinstance(source, TableSource) and source.date_column is not None
        if self.split.rule == "by_time" and not dated:
            raise ValueError(
                "split.rule is by_time without source.date_column; allowed: random, grouped, or a "
                "table with a column of dates"
            )
        return self


def _refuse_labels_without_classes(labels: Mapping[Any, Any]) -> None:
    """Raise an error with the lines to write, if the labels show which classes there are."""
    values = [value for value in labels.values() if value is not None]
    if not all(isinstance(key, str) for key in labels):
        return
    if all(type(value) is int for value in values) and set(values) == {0, 1}:
        names, ready = list(BINARY.names), _classes_of_numbers(labels, BINARY.names)
    elif all(isinstance(value, str) for value in values) and len(set(values)) > 1:
        names, ready = list(dict.fromkeys(values)), dict(labels)
    else:
        return
    raise ValueError(
        "classes is missing; an entry names its classes, and labels maps each sentiment to a name. "
        f"Write in this file:\nclasses: {{names: {flow_sequence(names)}}}\n"
        f"labels: {flow_mapping(ready)}"
    )


def _refuse_numbers_of_classes(labels: Mapping[Any, Any], names: list[Any]) -> None:
    """Raise an error with the line to write, if labels has numbers of classes, not names."""
    values = [value for value in labels.values() if value is not None]
    if not values or not all(type(value) is int and 0 <= value < len(names) for value in values):
        return
    if all(plain_name(value) in names for value in values):
        return
    if not all(isinstance(text, str) for text in (*labels, *names)):
        return
    raise ValueError(
        f"labels has numbers of classes; allowed: names. Write in this file:\n"
        f"labels: {flow_mapping(_classes_of_numbers(labels, names))}"
    )


def _classes_of_numbers(labels: Mapping[Any, Any], names: Any) -> dict[Any, Any]:
    return {key: None if value is None else names[value] for key, value in labels.items()}


def table_name(dataset: str, entry: Dataset) -> str:
    """Return the data set's name; for the user's table, ``name`` or the name of the file."""
    source = entry.source
    if not isinstance(source, TableSource):
        return dataset
    stem = PurePosixPath(urlsplit(source.path).path).name.split(".")[0]
    return source.name or re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") or dataset
