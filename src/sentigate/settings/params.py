"""params.yaml as typed, frozen objects; unknown keys are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from sentigate.errors import ParamsError, shorten
from sentigate.model.strict_model import StrictModel

from .baseline import BaselineParams
from .dataset import CsvSource, Dataset, Name, Share, table_name
from .model import Correlation, ModelPreset
from .vectors import MiniLMVectors, VectorSource
from .yaml_file import read_yaml

Alias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]


class TrainerParams(StrictModel):
    """What training runs on, in PyTorch Lightning's terms; the same for every model."""

    accelerator: Literal["auto", "cpu", "gpu"]
    """auto is the GPU where there is one."""
    devices: Annotated[int, Field(ge=1, le=64)]
    """Processes, each with a share of every batch (on GPUs, one each)."""
    precision: Literal["auto", "32-true", "bf16-mixed"]
    """auto is bf16-mixed where hardware.py expects it to be faster."""


class EvaluateParams(StrictModel):
    """How the test report is made."""

    bootstrap_samples: Annotated[int, Field(ge=100)]
    calibration_bins: Annotated[int, Field(ge=2)]
    listed_errors: Annotated[int, Field(ge=0)]
    """Most confident mistakes shown in the report."""


class RegisterParams(StrictModel):
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


class Gates(StrictModel):
    """Thresholds that hold for every data set."""

    max_text_characters: Annotated[int, Field(ge=1)]
    min_class_share: Annotated[float, Field(ge=0.0, le=0.5)]
    max_balance_difference: Share
    max_size_difference: Share
    min_coverage: Share
    min_vector_coverage: Share
    """Share of the training tokens that have a vector in every part, in a model with vectors."""
    min_negation_coverage: Share
    """The same of the negations among the training tokens."""
    max_unknown_share: Share
    max_cut_share: Share
    """Mean share of a text's characters that the network does not read."""
    min_baseline_mcc: Correlation
    """Of the linear baseline's answers on validation and test rows together."""
    max_served_difference: Annotated[float, Field(ge=0.0, le=1.0)]


class _NamedError(ValueError):
    """Of two sections that do not fit: the message begins with the key to change."""


class Params(StrictModel):
    """The whole of params.yaml."""

    dataset: str
    model: str
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    datasets: dict[Name, Dataset]
    models: dict[Name, ModelPreset]
    vectors: dict[Name, VectorSource]
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
                raise _NamedError(f"{name} is {shorten(chosen)}; allowed: {', '.join(offered)}")
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
    def _tables_have_names_of_their_own(self) -> Params:
        owners: dict[str, str] = {}
        # The sources with a name of their own first: a name is for the user's table to change.
        entries = sorted(self.datasets.items(), key=lambda e: isinstance(e[1].source, CsvSource))
        for name, entry in entries:
            table = table_name(name, entry)
            owner = owners.setdefault(table, name)
            if owner != name:
                raise _NamedError(
                    f"datasets.{name}.source.name: the table is named {table!r}, as that of "
                    f"datasets.{owner} is; allowed: any other name"
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
    def chosen_model(self) -> ModelPreset:
        """The entry of ``models:`` that ``model`` names."""
        return self.models[self.model]

    @property
    def chosen_vectors(self) -> dict[str, VectorSource]:
        """The entries of ``vectors:`` that the chosen model names, in its order."""
        return {name: self.vectors[name] for name in self.chosen_model.vocab.vectors}

    def chosen(self) -> dict[str, Any]:
        """What this run depends on, as nested plain values: the chosen entries only."""
        entries = {"datasets", "models", "vectors"}
        values = self.model_dump(mode="json", by_alias=True, exclude=entries)
        values["dataset"] = {"name": self.dataset, **self.chosen_dataset.model_dump(mode="json")}
        # MLflow takes few signs in a parameter's name, and a label may have any.
        labels = json.dumps(self.chosen_dataset.labels, ensure_ascii=False)
        values["dataset"]["labels"] = labels
        values["model"] = {"name": self.model, **self.chosen_model.model_dump(mode="json")}
        if sources := self.chosen_vectors.items():
            values["vectors"] = {name: source.model_dump(mode="json") for name, source in sources}
        return values


def parse_params(values: object, origin: str) -> Params:
    """Check ``values`` (what a YAML file holds) and give them back typed.

    Raises:
        ParamsError: names the first wrong keys, their values and what is allowed.
    """
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        problems = [f"  {_line(problem)}" for problem in error.errors(include_url=False)[:5]]
        raise ParamsError("\n".join([f"{origin} is not valid:", *problems])) from None


def load_params(path: Path) -> Params:
    """Read and check a params.yaml.

    Raises:
        ParamsError: the file is missing, is not YAML, or holds a wrong key, type or value.
    """
    return parse_params(read_yaml(path), path.name)


def _line(problem: Any) -> str:
    message = _message(problem)
    if isinstance(problem.get("ctx", {}).get("error"), _NamedError):
        return message
    return f"{_dotted(problem['loc'])}: {message}"


def _dotted(location: tuple[int | str, ...]) -> str:
    """The key as dotted in params.yaml; pydantic adds the union's tag after what has a kind."""
    parts = [str(part) for part in location]
    if parts[0:1] == ["vectors"]:
        del parts[2:3]
    if "source" in parts and len(parts) > parts.index("source") + 1:
        del parts[parts.index("source") + 1]
    return ".".join(parts) or "top level"


def _message(problem: Any) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "missing":
        return f"{message}; docs/parameters.md says what is allowed"
    if problem["type"] == "value_error":
        return message
    return f"{message} (given: {shorten(problem['input'])})"
