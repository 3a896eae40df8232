"""params.yaml as typed, frozen objects; unknown keys are refused."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import Field, ValidationError, model_validator

from .architecture import Architecture
from .cleaning_steps import CleaningSteps
from .errors import ParamsError, shorten
from .section import Section

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Correlation = Annotated[float, Field(ge=-1.0, le=1.0)]
"""A Matthews correlation coefficient: 0 is what chance reaches, whatever the balance of labels."""
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
"""What DVC can interpolate into a stage's parameters, and a path hold."""
Alias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class VaderSource(Section):
    """The rated sentences inside the source distribution of vaderSentiment, fetched with pip."""

    kind: Literal["vader"]
    version: str
    sha256: Sha256
    threshold: Annotated[float, Field(ge=0.0, le=4.0)]
    """Mean ratings (in [-4, 4]) nearer to zero than this are Neutral."""


class TwitterSource(Section):
    """Kaggle's entity sentiment tweets, from the mirror or through kagglehub."""

    kind: Literal["twitter"]
    handle: str
    sha256: dict[str, Sha256]
    """Of each CSV file in the data set."""


class ImdbSource(Section):
    """The Large Movie Review Dataset (Maas et al. 2011), from the mirror or by HTTP."""

    kind: Literal["imdb"]
    url: str
    sha256: tuple[Sha256, ...] = Field(min_length=1, strict=False)
    """Of the archives accepted."""


class CsvSource(Section):
    """A table of the user's own: CSV, TSV, JSON lines or Parquet, also compressed, path or URL."""

    kind: Literal["csv"]
    name: Name | None
    """Of the table; its models are registered under it. null takes it from the path."""
    path: str
    sha256: Sha256 | None
    text_column: str
    sentiment_column: str
    id_column: str | None
    group_column: str | None
    slice_column: str | None
    fold_column: str | None


Source = Annotated[
    VaderSource | TwitterSource | ImdbSource | CsvSource, Field(discriminator="kind")
]


class CleanParams(Section):
    """What the clean stage does to texts, and which rows it drops."""

    steps: CleaningSteps
    folds: tuple[Literal["train", "validation", "test"], ...] | None = Field(strict=False)
    """Published folds kept; null keeps every row."""
    drop_duplicates: bool
    """Drop a row whose cleaned text and label were seen before."""
    drop_conflicts: bool
    """Drop every row whose cleaned text occurs with both labels."""


class SplitParams(Section):
    """How rows are dealt to train, validation and test."""

    rule: Literal["random", "grouped", "published"]
    stratify: bool
    test_size: Annotated[float, Field(gt=0.0, lt=1.0)] | None
    """Share of rows in test; null with the published rule, whose test fold is given."""
    validation_size: Annotated[float, Field(ge=0.0, lt=1.0)]
    """Share of the training rows that becomes validation."""

    @model_validator(mode="after")
    def _test_size_fits_rule(self) -> SplitParams:
        if (self.test_size is None) != (self.rule == "published"):
            raise ValueError(
                f"test_size is {shorten(self.test_size)} with rule {self.rule}; "
                "allowed: null with published, a share with the others"
            )
        return self


class DatasetGates(Section):
    """Thresholds that belong to one data set."""

    min_rows: Annotated[int, Field(ge=1)]
    min_test_accuracy: Share


class Dataset(Section):
    """One entry of ``datasets:``."""

    source: Source
    labels: dict[str, Literal[0, 1] | None]
    """Every sentiment the source may hold: 1 positive, 0 negative, null left out."""
    clean: CleanParams
    split: SplitParams
    max_length: Annotated[int, Field(ge=1, le=100_000)]
    """Tokens kept of a text, unless the model says otherwise."""
    gates: DatasetGates

    @model_validator(mode="after")
    def _both_classes(self) -> Dataset:
        if {0, 1} - set(self.labels.values()):
            raise ValueError(
                f"labels is {shorten(self.labels)}; allowed: at least one sentiment mapped to 1 "
                "and one to 0"
            )
        return self


def table_name(dataset: str, entry: Dataset) -> str:
    """The data set's own name; or that of the user's table, by default its file's."""
    source = entry.source
    if not isinstance(source, CsvSource):
        return dataset
    stem = PurePosixPath(urlsplit(source.path).path).name.split(".")[0]
    return source.name or re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") or dataset


class VocabParams(Section):
    """How texts become tokens."""

    level: Literal["character", "word", "bpe"]
    min_count: Annotated[int, Field(ge=1)]
    max_size: Annotated[int, Field(ge=3, le=1_000_000)]
    """Entries at most, the two special ones included."""
    rank: Literal["frequency", "first_seen"] = "frequency"
    """Which entries are kept when there are more; ``first_seen`` as some tutorials have it."""

    @model_validator(mode="after")
    def _rank_fits_level(self) -> VocabParams:
        if self.level == "bpe" and self.rank == "first_seen":
            raise ValueError("rank is 'first_seen' with level bpe; allowed: frequency")
        return self


class TrainingParams(Section):
    """How a network is fitted."""

    batch_size: Annotated[int, Field(ge=1)]
    max_epochs: Annotated[int, Field(ge=1)]
    patience: Annotated[int, Field(ge=1)]
    """Epochs after which training stops, when what is monitored has got no better."""
    learning_rate: Annotated[float, Field(gt=0.0)]
    weight_decay: Annotated[float, Field(ge=0.0)]
    gradient_clip: Annotated[float, Field(gt=0.0)] | None
    """Largest global norm of the gradient; null for any."""
    monitor: Literal["validation_loss", "validation_accuracy"] = "validation_loss"
    """What stops training, and by which the epoch whose weights are kept is best."""


class ClassifierTraining(TrainingParams):
    """How the classifier is fitted, and the language model that it starts from, if any."""

    pretraining: TrainingParams | None = None
    """How the same encoder first learns to predict the next token; null for not at all."""


class Model(Section):
    """One entry of ``models:``."""

    vocab: VocabParams
    max_length: Annotated[int, Field(ge=1, le=100_000)] | None
    """Tokens kept of a text; null takes the data set's own."""
    min_validation_mcc: Correlation | None
    """A floor of this model's own; null takes that of ``gates:``."""
    network: Architecture
    training: ClassifierTraining

    @model_validator(mode="after")
    def _network_can_be_pretrained(self) -> Model:
        if not self.training.pretraining:
            return self
        if self.network.bidirectional:
            raise ValueError(
                "bidirectional is true with pretraining; allowed: bidirectional false, for from "
                "right to left a network sees the token that it is to predict"
            )
        if self.network.convolution:
            raise ValueError(
                "there is a convolution with pretraining; allowed: convolution null, for windows "
                "reach ahead to the token that is to be predicted"
            )
        if self.network.reads_padding:
            raise ValueError(
                "pooling is 'last_padded' with pretraining; allowed: another pooling, for padding "
                "is the boundary between texts to a language model"
            )
        return self


class TrainerParams(Section):
    """What training runs on, in PyTorch Lightning's terms; the same for every model."""

    accelerator: Literal["auto", "cpu", "gpu"]
    """auto is the GPU where there is one."""
    devices: Annotated[int, Field(ge=1, le=64)]
    """Processes, each with a share of every batch (on GPUs, one each)."""
    precision: Literal["auto", "32-true", "bf16-mixed"]
    """auto is bf16-mixed where hardware.py expects it to be faster."""


class BaselineParams(Section):
    """TF-IDF with logistic regression."""

    max_ngram: Annotated[int, Field(ge=1, le=5)]
    min_count: Annotated[int, Field(ge=1)]
    inverse_regularization: Annotated[float, Field(gt=0.0)]


class EvaluateParams(Section):
    """How the test report is made."""

    bootstrap_samples: Annotated[int, Field(ge=100)]
    calibration_bins: Annotated[int, Field(ge=2)]
    listed_errors: Annotated[int, Field(ge=0)]
    """Most confident mistakes shown in the report."""


class RegisterParams(Section):
    """Where the model goes."""

    alias: Alias
    """Of the best version in the MLflow registry."""
    challenger_alias: Alias
    """Of the newest version that was not found to be better."""
    significance_level: Annotated[float, Field(gt=0.0, lt=1.0)]
    """The p of the paired test below which a newcomer is better."""

    @model_validator(mode="after")
    def _two_aliases(self) -> RegisterParams:
        if self.alias == self.challenger_alias:
            raise ValueError(f"alias and challenger_alias are both {self.alias!r}; allowed: two")
        return self


class Gates(Section):
    """Thresholds that hold for every data set."""

    max_text_characters: Annotated[int, Field(ge=1)]
    min_class_share: Annotated[float, Field(ge=0.0, le=0.5)]
    max_balance_difference: Share
    max_size_difference: Share
    min_coverage: Share
    max_unknown_share: Share
    min_baseline_mcc: Correlation
    """Of the linear baseline's answers on validation and test rows together."""
    min_validation_mcc: Correlation
    """Of the kept weights' answers on validation rows, unless the model says otherwise."""
    max_served_difference: Annotated[float, Field(ge=0.0, le=1.0)]


class Params(Section):
    """The whole of params.yaml."""

    dataset: str
    model: str
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    datasets: dict[Name, Dataset]
    models: dict[Name, Model]
    trainer: TrainerParams
    baseline: BaselineParams
    evaluate: EvaluateParams
    register_: RegisterParams = Field(alias="register")
    gates: Gates

    @model_validator(mode="after")
    def _chosen_exist(self) -> Params:
        for name, chosen, offered in (
            ("dataset", self.dataset, self.datasets),
            ("model", self.model, self.models),
        ):
            if chosen not in offered:
                raise ValueError(f"{name} is {shorten(chosen)}; allowed: {', '.join(offered)}")
        return self

    @model_validator(mode="after")
    def _tables_have_names_of_their_own(self) -> Params:
        owners: dict[str, str] = {}
        for name, entry in self.datasets.items():
            table = table_name(name, entry)
            owner = owners.setdefault(table, name)
            if owner != name:
                raise ValueError(
                    f"the table of datasets.{name} is named {table!r}, as that of "
                    f"datasets.{owner} is; allowed in source.name: any name of its own"
                )
        return self

    @property
    def chosen_dataset(self) -> Dataset:
        """The entry of ``datasets:`` that ``dataset`` names."""
        return self.datasets[self.dataset]

    @property
    def table(self) -> str:
        """The name under which models of the chosen data are registered."""
        return table_name(self.dataset, self.chosen_dataset)

    @property
    def table_source(self) -> str:
        """What tells two tables of one name apart: where it is from, unless it was named."""
        source = self.chosen_dataset.source
        return source.path if isinstance(source, CsvSource) and not source.name else self.table

    @property
    def chosen_model(self) -> Model:
        """The entry of ``models:`` that ``model`` names."""
        return self.models[self.model]

    @property
    def max_length(self) -> int:
        """Tokens kept of a text: the model's own number, or else the data set's."""
        return self.chosen_model.max_length or self.chosen_dataset.max_length

    @property
    def min_validation_mcc(self) -> float:
        """The floor of the kept weights: the model's own number, or else that of ``gates:``."""
        own = self.chosen_model.min_validation_mcc
        return self.gates.min_validation_mcc if own is None else own

    def chosen(self) -> dict[str, Any]:
        """What this run depends on, as nested plain values: the chosen entries only."""
        values = self.model_dump(mode="json", by_alias=True, exclude={"datasets", "models"})
        values["dataset"] = {"name": self.dataset, **self.chosen_dataset.model_dump(mode="json")}
        # MLflow takes few signs in a parameter's name, and a label may have any.
        labels = json.dumps(self.chosen_dataset.labels, ensure_ascii=False)
        values["dataset"]["labels"] = labels
        values["model"] = {"name": self.model, **self.chosen_model.model_dump(mode="json")}
        return values


class _UniqueKeys(yaml.SafeLoader):
    """A loader that refuses a key written twice, where PyYAML keeps the last in silence."""

    def get_single_node(self) -> yaml.Node | None:
        # As written: "<<: *anchor" is not yet spread out, and may be overridden.
        node = super().get_single_node()
        self._check(node)
        return node

    def _check(self, node: yaml.Node | None) -> None:
        if isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self._check(item)
        elif isinstance(node, yaml.MappingNode):
            seen: set[tuple[str, str]] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if (key.tag, key.value) in seen:
                        raise yaml.constructor.ConstructorError(
                            None, None, f"key {key.value!r} is there twice", key.start_mark
                        )
                    seen.add((key.tag, key.value))
                self._check(value)


def parse_params(values: object, origin: str) -> Params:
    """Check ``values`` (what a YAML file holds) and give them back typed.

    Raises:
        ParamsError: names the first wrong keys, their values and what is allowed.
    """
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        problems = [
            f"  {_dotted(problem['loc'])}: {_message(problem)}"
            for problem in error.errors(include_url=False)[:5]
        ]
        raise ParamsError("\n".join([f"{origin} is not valid:", *problems])) from None


def load_params(path: Path) -> Params:
    """Read and check a params.yaml.

    Raises:
        ParamsError: the file is missing, is not YAML, or holds a wrong key, type or value.
    """
    try:
        with path.open(encoding="utf-8") as file:
            values = yaml.load(file, Loader=_UniqueKeys)  # noqa: S506 (a SafeLoader)
    except FileNotFoundError:
        raise ParamsError(f"{path} does not exist; run from the project's root") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    return parse_params(values, path.name)


def _dotted(location: tuple[int | str, ...]) -> str:
    """The key as dotted in params.yaml; pydantic adds the union's tag after ``source``."""
    parts = [str(part) for part in location]
    if "source" in parts and len(parts) > parts.index("source") + 1:
        del parts[parts.index("source") + 1]
    return ".".join(parts) or "top level"


def _message(problem: Any) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] in ("missing", "value_error"):
        return message
    return f"{message} (given: {shorten(problem['input'])})"
