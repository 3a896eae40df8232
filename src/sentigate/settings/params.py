"""Read params.yaml and datasets/ into typed, frozen objects; unknown keys are refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from sentigate.errors import ParamsError, shorten
from sentigate.model.strict_model import StrictModel

from .baseline import BaselineParams
from .care import CareParams
from .dataset import Dataset, Share, table_name
from .entry_files import FOLDER, entry_file, with_entries
from .model import Correlation, ModelPreset
from .plain_names import Name
from .table import TableSource
from .vectors import MiniLMVectors, VectorSource
from .yaml_file import read_yaml

Alias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]


class TrainerParams(StrictModel):
    """The hardware for training, in PyTorch Lightning's terms; the same for every model."""

    accelerator: Literal["auto", "cpu", "gpu"]
    """auto: the GPU if there is one, or else the CPU."""
    devices: Annotated[int, Field(ge=1, le=64)]
    """Number of processes; each gets a share of every batch, and its own GPU if GPUs are used."""
    precision: Literal["auto", "32-true", "bf16-mixed"]
    """auto: bf16-mixed if hardware.py expects it to be faster, or else 32-true."""


class EvaluateParams(StrictModel):
    """How the test report is computed."""

    bootstrap_samples: Annotated[int, Field(ge=100)]
    calibration_bins: Annotated[int, Field(ge=2)]
    listed_errors: Annotated[int, Field(ge=0)]
    """Number of most confident errors listed in the report."""


class RegisterParams(StrictModel):
    """How the model is registered in MLflow."""

    alias: Alias
    """Alias of the best version."""
    challenger_alias: Alias
    """Alias of the newest version that was not significantly better than the best."""
    significance_level: Annotated[float, Field(gt=0.0, lt=1.0)]
    """A new version is better if the p of the paired test is below this."""

    @model_validator(mode="after")
    def _two_aliases(self) -> RegisterParams:
        if self.alias == self.challenger_alias:
            raise ValueError(
                f"alias and challenger_alias are both {self.alias!r}; allowed: two different names"
            )
        return self


class Gates(StrictModel):
    """Thresholds for every data set."""

    max_text_characters: Annotated[int, Field(ge=1)]
    min_class_share: Annotated[float, Field(ge=0.0, le=0.5)]
    max_corrected_share: Share
    """Share of the source's rows that corrections.csv drops or relabels."""
    max_balance_difference: Share
    max_size_difference: Share
    min_coverage: Share
    min_vector_coverage: Share
    """Share of training tokens with a vector in every part, for a model with vectors."""
    min_negation_coverage: Share
    """Share of the negations among the training tokens with a vector in every part."""
    max_unknown_share: Share
    max_cut_share: Share
    """Mean share of a text's characters that the network does not read."""
    min_baseline_mcc: Correlation
    """Correlation of the linear baseline's answers, over validation and test rows together."""
    max_served_difference: Annotated[float, Field(ge=0.0, le=1.0)]


class _NamedError(ValueError):
    """Two sections contradict each other; the message begins with the key to change."""


class Params(StrictModel):
    """The whole of params.yaml, with the files of datasets/."""

    dataset: str
    model: str
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    datasets: dict[Name, Dataset]
    models: dict[Name, ModelPreset]
    vectors: dict[Name, VectorSource]
    trainer: TrainerParams
    baseline: BaselineParams
    care: CareParams
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
                raise _NamedError(f"{name} is {shorten(chosen)}; allowed: {', '.join(offered)}")
        return self

    @model_validator(mode="after")
    def _classes_can_be_common(self) -> Params:
        count, own = self.chosen_dataset.classes.count, self.chosen_dataset.clean.min_class_share
        key = "gates" if own is None else f"{entry_file(self.dataset)}:clean"
        if self.min_class_share > 1 / count:
            raise _NamedError(
                f"{key}.min_class_share is {self.min_class_share} with the {count} classes "
                f"of {entry_file(self.dataset)}; allowed: up to {math.floor(1000 / count) / 1000}"
            )
        return self

    @model_validator(mode="after")
    def _vectors_exist(self) -> Params:
        for name, entry in self.models.items():
            key, vocab = f"models.{name}.vocab", entry.vocab
            for chosen in vocab.vectors:
                if chosen not in self.vectors:
                    raise _NamedError(
                        f"{key}.vectors names {shorten(chosen)}; "
                        f"allowed: {', '.join(self.vectors)}, or no vectors"
                    )
            sources = [self.vectors[chosen] for chosen in vocab.vectors]
            if vocab.outside_words and all(isinstance(each, MiniLMVectors) for each in sources):
                raise _NamedError(
                    f"{key}.outside_words is {vocab.outside_words} with vectors "
                    f"{list(vocab.vectors)}; allowed: 0, or vectors that list words (kind pip or "
                    "file)"
                )
        return self

    @model_validator(mode="after")
    def _a_threshold_has_two_classes(self) -> Params:
        metric, count = (
            self.chosen_model.training.threshold_metric,
            self.chosen_dataset.classes.count,
        )
        if metric and count > 2:
            raise _NamedError(
                f"models.{self.model}.training.threshold_metric is {metric!r} with the {count} "
                f"classes of {entry_file(self.dataset)}; allowed: null, or two classes"
            )
        return self

    @model_validator(mode="after")
    def _tables_have_different_names(self) -> Params:
        owners: dict[str, str] = {}
        # User tables last: the error must name one of them, because only they can be renamed.
        entries = sorted(self.datasets.items(), key=lambda e: isinstance(e[1].source, TableSource))
        for name, entry in entries:
            table = table_name(name, entry)
            owner = owners.setdefault(table, name)
            if owner != name:
                raise _NamedError(
                    f"{entry_file(name)}:source.name: the table is named {table!r}, like that of "
                    f"{entry_file(owner)}; allowed: any other name"
                )
        return self

    @property
    def chosen_dataset(self) -> Dataset:
        """The data set that ``dataset`` names."""
        return self.datasets[self.dataset]

    @property
    def min_class_share(self) -> float:
        """Smallest share of the rows that a class may have: the data set's own, or that of all."""
        own = self.chosen_dataset.clean.min_class_share
        return self.gates.min_class_share if own is None else own

    @property
    def table(self) -> str:
        """The name under which models of the chosen data are registered."""
        return table_name(self.dataset, self.chosen_dataset)

    @property
    def table_source(self) -> str:
        """The path or URL of a table named after its file, or else the table's name.

        It distinguishes two tables whose files have the same name.
        """
        source = self.chosen_dataset.source
        return source.path if isinstance(source, TableSource) and not source.name else self.table

    @property
    def chosen_model(self) -> ModelPreset:
        """The entry of ``models:`` that ``model`` names."""
        return self.models[self.model]

    @property
    def chosen_vectors(self) -> dict[str, VectorSource]:
        """The entries of ``vectors:`` that the chosen model names, in its order."""
        return {name: self.vectors[name] for name in self.chosen_model.vocab.vectors}

    def chosen(self) -> dict[str, Any]:
        """Return the settings of this run as nested plain values, with only the chosen entries."""
        entries = {"datasets", "models", "vectors"}
        values = self.model_dump(mode="json", by_alias=True, exclude=entries)
        values["dataset"] = {"name": self.dataset, **self.chosen_dataset.model_dump(mode="json")}
        # MLflow allows few characters in a parameter's name; a label or a fold's name may have any.
        source = values["dataset"]["source"]
        for section, key in ((values["dataset"], "labels"), (source, "folds")):
            if section.get(key) is not None:
                section[key] = json.dumps(section[key], ensure_ascii=False)
        values["model"] = {"name": self.model, **self.chosen_model.model_dump(mode="json")}
        if sources := self.chosen_vectors.items():
            values["vectors"] = {name: source.model_dump(mode="json") for name, source in sources}
        return values


def parse_params(values: object, origin: str) -> Params:
    """Check the values of params.yaml, with those of datasets/, and return them typed.

    Raises:
        ParamsError: a value is wrong; the message names up to five keys, their values and the
            allowed values.
    """
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        problems = [f"  {_line(problem)}" for problem in error.errors(include_url=False)[:5]]
        entries = all(line.startswith(f"  {FOLDER}/") for line in problems)
        what = f"{FOLDER}/ is not valid:" if entries else f"{origin} is not valid:"
        raise ParamsError("\n".join([what, *problems])) from None


def load_params(path: Path) -> Params:
    """Read and check a params.yaml, and the files of datasets/ beside it.

    Raises:
        ParamsError: a file is missing, is not YAML, or has a wrong key, type or value.
    """
    return parse_params(with_entries(read_yaml(path), path.parent), path.name)


def _line(problem: Any) -> str:
    message = _message(problem)
    if isinstance(problem.get("ctx", {}).get("error"), _NamedError):
        return message
    return f"{_dotted(problem['loc'])}: {message}"


def _dotted(location: tuple[int | str, ...]) -> str:
    """Return the key as DVC writes it: dotted; of a data set, after the name of its file.

    The ``kind`` that pydantic adds to it is left out.
    """
    parts = [str(part) for part in location]
    if parts[0:1] == ["vectors"]:
        del parts[2:3]
    if "source" in parts and len(parts) > parts.index("source") + 1:
        del parts[parts.index("source") + 1]
    if parts[0:1] == [FOLDER] and len(parts) > 1:
        return ":".join(filter(None, [entry_file(parts[1]), ".".join(parts[2:])]))
    return ".".join(parts) or "top level"


def _message(problem: Any) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"{message}; docs/parameters.md lists the allowed values"
    if problem["type"] == "value_error":
        return message
    return f"{message} (given: {shorten(problem['input'])})"
