"""Tables as people have them, small and invented, with what adopt has to make of each."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from .sheets import write_ods, write_xlsx

NEGATIVE, NEUTRAL, POSITIVE = "negative", "neutral", "positive"
_THINGS = ("film", "plot", "song", "game", "hotel room", "breakfast", "story", "camera", "staff")
_FRAMES = (
    "I think that the {} was {} from the first minute",
    "{} as always, and so {} that my friends noticed it too",
    "we found the {} really {} and would say so again",
    "honestly, this {} is {}; nothing else to report",
    "the {} we got on Monday felt {} to all of us",
)
_WORDS = {
    NEGATIVE: ("awful", "boring", "broken", "dirty", "disappointing", "terrible"),
    NEUTRAL: ("ordinary", "standard", "average", "as described", "as usual", "acceptable"),
    POSITIVE: ("lovely", "brilliant", "wonderful", "superb", "delightful", "excellent"),
}
_CHINESE = {
    NEGATIVE: ("太差了", "很无聊", "让人失望", "不好吃", "非常糟糕", "不值这个价"),
    POSITIVE: ("非常好", "很精彩", "让人惊喜", "很好吃", "特别满意", "值得再来"),
}
_CHINESE_THINGS = (
    "这部电影",
    "这家餐厅的菜",
    "酒店的房间",
    "这本书的故事",
    "店里的服务",
    "昨天买的手机",
)
_CHINESE_FRAMES = (
    "{}我觉得{}",
    "朋友们都说{}{}",
    "说实话{}真的{}",
    "{}总的来说{}没有别的可说",
    "上个星期我发现{}{}",
)
_GERMAN = {
    NEGATIVE: ("schrecklich", "langweilig", "kaputt", "enttäuschend", "schmutzig", "überteuert"),
    POSITIVE: ("wunderschön", "großartig", "köstlich", "hervorragend", "gemütlich", "spannend"),
}
_GERMAN_FRAMES = (
    "Ich fand, dass {} wirklich {} war, und das nicht nur für mich",
    "{} ist aus meiner Sicht einfach {} und das bleibt auch so",
    "Wir haben gestern gesehen, wie {} {} geworden ist",
    "Für uns war {} leider oder zum Glück {}, wie immer",
    "Alle sagen über {} nur, dass es {} ist",
)
_GERMAN_THINGS = ("das Zimmer", "das Frühstück", "das Buch", "das Spiel", "die Küche", "der Käse")

Pair = tuple[str, str]
"""A text and what it says: NEGATIVE, NEUTRAL or POSITIVE."""


def english(*kinds: str, rows: int = 90) -> list[Pair]:
    """Return texts of each kind in turn, all different."""
    return _written(_WORDS, _THINGS, _FRAMES, kinds or (NEGATIVE, POSITIVE), rows)


def chinese(rows: int = 90) -> list[Pair]:
    """Return texts without spaces."""
    return _written(_CHINESE, _CHINESE_THINGS, _CHINESE_FRAMES, (NEGATIVE, POSITIVE), rows)


def german(rows: int = 90) -> list[Pair]:
    """Return German texts."""
    return _written(_GERMAN, _GERMAN_THINGS, _GERMAN_FRAMES, (NEGATIVE, POSITIVE), rows)


def _written(
    words: dict[str, tuple[str, ...]],
    things: Sequence[str],
    frames: Sequence[str],
    kinds: Sequence[str],
    rows: int,
) -> list[Pair]:
    found = []
    for kind in kinds:
        texts = [
            frame.format(thing, word)
            for number, (thing, word) in enumerate(product(things, words[kind]))
            for frame in frames[number % 2 :: 2]
        ]
        found.append([(text, kind) for text in texts[: rows // len(kinds)]])
    return [pair for pairs in zip(*found, strict=True) for pair in pairs]


@dataclass(frozen=True)
class Shape:
    """A table, and what adopt has to make of it.

    Attributes:
        what: What the file is like.
        given: Path, pattern or folder for the command.
        make: Writes the table into a folder.
        rows: Text and class of each row that is read; a class that is None is dropped.
        source: Keys of the entry's source that must have these values; None: no such key.
        said: Parts of what adopt was not sure of, in order; all of it, if ``surely``.
        options: Choices that the command needs.
        model: The proposed model.
        classes: Names of the classes.
        entry: Other keys of the entry, such as split.
    """

    what: str
    given: str
    make: Callable[[Path], None]
    rows: Sequence[tuple[str, str | None]]
    source: dict[str, Any] = field(default_factory=dict)
    said: Sequence[str] = ()
    options: dict[str, str] = field(default_factory=dict)
    model: str = "bilstm"
    classes: tuple[str, ...] = (NEGATIVE, POSITIVE)
    entry: dict[str, Any] = field(default_factory=dict)


def delimited(
    name: str,
    header: Sequence[str] | None,
    rows: Sequence[Sequence[object]],
    *,
    separator: str = ",",
    encoding: str = "utf-8",
    quoting: Any = csv.QUOTE_MINIMAL,
) -> Callable[[Path], None]:
    """Return a function that writes a text file of rows."""

    def make(folder: Path) -> None:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w", encoding=encoding, newline="") as file:
            if quoting == csv.QUOTE_NONE:  # csv would escape a quote
                for row in (*([header] if header else []), *rows):
                    file.write(separator.join(map(str, row)) + "\r\n")
                return
            writer = csv.writer(file, delimiter=separator, quoting=quoting)
            writer.writerows([*([header] if header else []), *rows])

    return make


def _bytes(name: str, content: Callable[[], bytes]) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content()) and None  # type: ignore[func-returns-value]


def _csv_bytes(header: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


def _zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("export/table.csv", _csv_bytes(("text", "sentiment"), TWO))
    return packed.getvalue()


def _parquet_folder(folder: Path) -> None:
    (folder / "parts").mkdir()
    frame = pd.DataFrame({"text": [t for t, _ in TWO], "label": [k == POSITIVE for _, k in TWO]})
    frame["label"] = frame["label"].astype("int64")
    for number in range(3):
        frame.iloc[number * 30 : number * 30 + 30].to_parquet(
            folder / f"parts/part-{number}.parquet", index=False
        )


def _parquet_truth(folder: Path) -> None:
    frame = pd.DataFrame(
        {"text": [t for t, _ in TWO], "is_positive": [k == POSITIVE for _, k in TWO]}
    )
    frame.to_parquet(folder / "truth.parquet", index=False)


def _months(folder: Path) -> None:
    for number in range(3):
        some = TWO[number * 30 : number * 30 + 30]
        delimited(f"2026-0{number + 1}.csv", ("text", "sentiment"), some)(folder)


def _stars(pairs: Sequence[Pair]) -> list[int]:
    """Return stars that agree with the texts."""
    return [
        {NEGATIVE: 1, NEUTRAL: 3, POSITIVE: 4}[kind] + (number // 3 % 2 if kind != NEUTRAL else 0)
        for number, (_, kind) in enumerate(pairs)
    ]


TWO = english()
THREE = english(NEGATIVE, NEUTRAL, POSITIVE)
CODES = {NEGATIVE: 0, POSITIVE: 1}
ACCENTED = [
    (text.replace("I think", "Au café, I think").replace("is ", "is déjà "), kind)
    for text, kind in TWO
]
CURLY = [(f"“{text}” – it’s what I’d say…", kind) for text, kind in TWO]
QUOTED = [
    (f'{text} 5" screen' if n % 4 else f'"{text}', kind) for n, (text, kind) in enumerate(TWO)
]
SCORES = {NEGATIVE: 2.5, NEUTRAL: 6.0, POSITIVE: 8.5}
SCORED = [(text, SCORES[kind] + n // 3 % 4 * 0.5, kind) for n, (text, kind) in enumerate(THREE)]
BANDS = {NEGATIVE: "bad", NEUTRAL: "fair", POSITIVE: "good"}
FOLDS = ["Training", "Training", "Training", "dev", "dev", "held-out"] * 15
FOLDED = [(text, kind, FOLDS[n // 2 % 6]) for n, (text, kind) in enumerate(english(rows=180))][:180]
STARRED = english(NEGATIVE, NEUTRAL, POSITIVE, rows=150)
FIVE = tuple(f"{n} star{'s' * (n > 1)}" for n in range(1, 6))
EMOTIONS = {NEGATIVE: "anger", NEUTRAL: "surprise", POSITIVE: "joy"}
TITLES = [text.split(" ")[n % 3] + " title" for n, (text, _) in enumerate(TWO)]
NONE: Sequence[str] = ()

SHAPES: dict[str, Shape] = {
    "plain CSV": Shape(
        "comma, UTF-8, `text` and `sentiment`",
        "reviews.csv",
        delimited("reviews.csv", ("text", "sentiment"), TWO),
        TWO,
        {"encoding": None, "separator": None, "text_column": "text"},
    ),
    "Latin-1": Shape(
        "accented letters in Latin-1",
        "latin1.csv",
        delimited("latin1.csv", ("text", "sentiment"), ACCENTED, encoding="latin-1"),
        ACCENTED,
        {"encoding": "cp1252"},
        ["encoding"],
    ),
    "cp1252": Shape(
        "curly quotes and dashes of Windows",
        "windows.csv",
        delimited("windows.csv", ("text", "sentiment"), CURLY, encoding="cp1252"),
        CURLY,
        {"encoding": "cp1252"},
        ["encoding"],
    ),
    "UTF-16": Shape(
        "Excel's “Unicode text”: UTF-16 with a mark, tabs, named .txt",
        "unicode.txt",
        delimited("unicode.txt", ("text", "sentiment"), TWO, separator="\t", encoding="utf-16"),
        TWO,
    ),
    "byte-order mark": Shape(
        "UTF-8 with a mark before the header",
        "marked.csv",
        delimited("marked.csv", ("text", "sentiment"), TWO, encoding="utf-8-sig"),
        TWO,
        {"encoding": None, "text_column": "text"},
    ),
    "no header": Shape(
        "the first row is data",
        "bare.csv",
        delimited("bare.csv", None, TWO),
        TWO,
        {"no_header": True, "text_column": "1", "sentiment_column": "2"},
        ["the first row is taken as data"],
    ),
    "semicolons": Shape(
        "separated by semicolons, named .csv",
        "german_excel.csv",
        delimited("german_excel.csv", ("text", "sentiment"), TWO, separator=";"),
        TWO,
        {"separator": ";"},
    ),
    "stray quotes": Shape(
        "tabs; quotes that are only characters",
        "stray.tsv",
        delimited("stray.tsv", ("text", "label"), [(t, CODES[k]) for t, k in QUOTED],
                  separator="\t", quoting=csv.QUOTE_NONE),
        QUOTED,
        {"plain_quotes": True},
        ["quote", "1 is taken as positive, 0 as negative"],
    ),
    "pipes": Shape(
        "separated by |, named .txt",
        "pipes.txt",
        delimited("pipes.txt", ("text", "sentiment"), TWO, separator="|"),
        TWO,
        {"separator": "|"},
    ),
    "JSON lines": Shape(
        "an object a line",
        "lines.jsonl",
        _bytes("lines.jsonl", lambda: "\n".join(
            json.dumps({"review": t, "polarity": k[:3]}) for t, k in TWO).encode()),
        TWO,
        {"text_column": "review", "sentiment_column": "polarity"},
    ),
    "JSON array": Shape(
        "one array of objects, with emotions",
        "array.json",
        _bytes("array.json", lambda: json.dumps(
            [{"content": t, "emotion": EMOTIONS[k]} for t, k in THREE], indent=1).encode()),
        [(t, EMOTIONS[k]) for t, k in THREE],
        {"text_column": "content"},
        classes=("anger", "joy", "surprise"),
    ),
    "Excel": Shape(
        ".xlsx with stars",
        "ratings.xlsx",
        lambda folder: write_xlsx(folder / "ratings.xlsx", {"Reviews": [
            ("Review", "Stars"),
            *((t, s) for (t, _), s in zip(STARRED, _stars(STARRED), strict=True))]}),
        [(t, FIVE[s - 1]) for (t, _), s in zip(STARRED, _stars(STARRED), strict=True)],
        {"text_column": "Review", "sentiment_column": "Stars"},
        ["5 classes, one for each of 1, 2, 3, 4, 5"],
        classes=FIVE,
    ),
    "OpenDocument": Shape(
        ".ods",
        "table.ods",
        lambda folder: write_ods(folder / "table.ods", {"Reviews": [("text", "sentiment"), *TWO]}),
        TWO,
    ),
    "zip": Shape(
        "reviews.zip with one CSV in a folder",
        "reviews.zip",
        _bytes("reviews.zip", _zipped),
        TWO,
    ),
    "gzip": Shape(
        "reviews.csv.gz",
        "reviews.csv.gz",
        _bytes("reviews.csv.gz", lambda: gzip.compress(_csv_bytes(("text", "sentiment"), TWO))),
        TWO,
        {"name": "reviews"},
    ),
    "Parquet folder": Shape(
        "three part files, integer labels",
        "parts",
        _parquet_folder,
        TWO,
        {"path": "data/own/parts/parts"},
        ["1 is taken as positive, 0 as negative"],
    ),
    "many files": Shape(
        "a CSV for each month, by a pattern",
        "2026-*.csv",
        _months,
        TWO,
        {"path": "data/own/months/2026-*.csv"},
        options={"name": "months"},
    ),
    "integer labels": Shape(
        "`label` is 0 or 1",
        "integers.csv",
        delimited("integers.csv", ("label", "text"), [(CODES[k], t) for t, k in TWO]),
        TWO,
        said=["1 is taken as positive, 0 as negative"],
    ),
    "True and False": Shape(
        "Python's truth values in a CSV",
        "truth.csv",
        delimited("truth.csv", ("text", "recommended"), [(t, k == POSITIVE) for t, k in TWO]),
        [(t, "recommended" if k == POSITIVE else "not recommended") for t, k in TWO],
        classes=("not recommended", "recommended"),
    ),
    "truth values": Shape(
        "a Parquet column of truth values",
        "truth.parquet",
        _parquet_truth,
        TWO,
        {"sentiment_column": "is_positive"},
    ),
    "scores": Shape(
        "scores from 2.5 to 10",
        "scores.csv",
        delimited("scores.csv", ("text", "score"), [(t, s) for t, s, _ in SCORED]),
        [(t, BANDS[k]) for t, _, k in SCORED],
        {"bands": [6.0, 8.5]},
        ["scores from 2.5 to 10 are cut into 3 parts with about as many rows: bands [6, 8.5]"],
        classes=("bad", "fair", "good"),
    ),
    "title and body": Shape(
        "two columns of texts, some titles empty",
        "posts.csv",
        delimited("posts.csv", ("title", "body", "sentiment"), [
            ("" if n % 9 == 0 else TITLES[n], t, k) for n, (t, k) in enumerate(TWO)]),
        [(t if n % 9 == 0 else f"{TITLES[n]} {t}", k) for n, (t, k) in enumerate(TWO)],
        {"text_column": ["title", "body"]},
        ["'title' and 'body' both hold texts"],
    ),
    "published folds": Shape(
        "`part` is Training, dev or held-out",
        "folds.csv",
        delimited("folds.csv", ("text", "sentiment", "part"), FOLDED),
        [(t, k) for t, k, _ in FOLDED],
        {"fold_column": "part",
         "folds": {"Training": "train", "dev": "validation", "held-out": "test"}},
        entry={"split": {"rule": "published", "stratify": True}},
    ),
    "dates and authors": Shape(
        "German dates, an author of several rows, an id",
        "dated.csv",
        delimited("dated.csv", ("id", "author", "date", "text", "sentiment"), [
            (n + 100, f"author {n // 2 % 30}", f"{n % 28 + 1}.{n % 12 + 1}.2026", t, k)
            for n, (t, k) in enumerate(TWO)]),
        TWO,
        {"id_column": "id", "group_column": "author", "date_column": "date",
         "date_format": "%d.%m.%Y"},
        ["rows with the same 'author' stay in one split"],
    ),
    "no header, no extension": Shape(
        "codes 0 and 4, in Latin-1, named like no format, all quoted",
        "training.1600000.processed.noemoticon",
        delimited("training.1600000.processed.noemoticon", None, [
            (CODES[k] * 4, 1467810369 + n, "Mon Apr 06 22:19:45 PDT 2009", "NO_QUERY", f"u{n}", t)
            for n, (t, k) in enumerate(ACCENTED)], encoding="latin-1", quoting=csv.QUOTE_ALL),
        ACCENTED,
        {"no_header": True, "sentiment_column": "1", "text_column": "6", "encoding": "cp1252"},
        ["encoding", "the first row is taken as data", "0 as negative, 4 as positive"],
    ),
    "duplicates": Shape(
        "repeated rows, and texts with several labels",
        "copies.csv",
        delimited("copies.csv", ("text", "sentiment"),
                  [*TWO, *TWO[:20], *((t, POSITIVE) for t, k in TWO[:8] if k == NEGATIVE)]),
        [*TWO, *TWO[:20], *((t, POSITIVE) for t, k in TWO[:8] if k == NEGATIVE)],
        said=["have a text that occurs with several labels: dropped"],
    ),
    "Chinese": Shape(
        "texts without spaces, 好评 and 差评",
        "chinese.csv",
        delimited("chinese.csv", ("评论", "标签"),
                  [(t, "好评" if k == POSITIVE else "差评") for t, k in chinese()]),
        chinese(),
        {"text_column": "评论", "sentiment_column": "标签"},
        model="char_lstm",
    ),
    "German": Shape(
        "German texts in cp1252, semicolons, header in German",
        "bewertungen.csv",
        delimited("bewertungen.csv", ("Kommentar", "Stimmung"),
                  [(t, {NEGATIVE: "schlecht", POSITIVE: "gut"}[k]) for t, k in german()],
                  separator=";", encoding="cp1252"),
        german(),
        {"encoding": "cp1252", "separator": ";", "text_column": "Kommentar"},
        ["encoding", "the texts are mostly German"],
        model="bilstm_from_scratch",
    ),
    "odd labels": Shape(
        "spellings, a misspelling, empty and mixed labels",
        "odd.csv",
        delimited("odd.csv", ("text", "sentiment"), [
            *((t, k.title() if n % 2 else f"{k} ") for n, (t, k) in enumerate(english(rows=240))),
            *((f"one more text, number {n}", label)
              for n, label in enumerate(["postive", "", "", "mixed", "n/a"]))]),
        [*english(rows=240), ("one more text, number 0", POSITIVE),
         *((f"one more text, number {n}", None) for n in range(1, 5))],
        said=["'postive' (1 row) is taken as a misspelling", "1 row with the label 'mixed'",
              "1 row with the label 'n/a'", "2 rows with an empty label"],
    ),
    "two questions": Shape(
        "two columns of 0 and 1, none named as the label",
        "moderation.csv",
        delimited("moderation.csv", ("comment", "toxic", "threat"),
                  [(t, CODES[k], n // 2 % 2) for n, (t, k) in enumerate(TWO)]),
        [(t, "toxic" if k == POSITIVE else "not toxic") for t, k in TWO],
        options={"label": "toxic"},
        classes=("not toxic", "toxic"),
    ),
}  # fmt: skip
"""Name -> shape."""
