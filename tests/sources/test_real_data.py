"""The published data sets: vader with pip, the others from the mirror."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
from support.mirror import mirror_file

from sentigate.artifacts import RAW_TEXTS
from sentigate.errors import SourceError
from sentigate.settings.dataset import Dataset
from sentigate.settings.params import load_params
from sentigate.settings.table import TableSource
from sentigate.sources import read_source

ROOT = Path(__file__).parents[2]
DATASETS = load_params(ROOT / "params.yaml").datasets
LONGEST = 100_000


def read(dataset: Dataset, cache: Path) -> pd.DataFrame:
    return read_source(dataset.source, dataset.labels, LONGEST, cache)


def check_contract(frame: pd.DataFrame) -> None:
    assert list(frame.columns) == list(RAW_TEXTS.columns)
    assert all(dtype == "str" for dtype in frame.dtypes)
    assert not frame.isna().any(axis=None)
    assert frame["id"].is_unique
    assert (frame["group"] != "").all()
    assert frame.index.equals(pd.RangeIndex(len(frame)))


@pytest.fixture(scope="session")
def pip_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with vader, downloaded by the real pip."""
    cache = tmp_path_factory.mktemp("vader")
    environment = {key: value for key, value in os.environ.items() if key != "SENTIGATE_MIRROR"}
    script = (
        "import sys; from pathlib import Path; from sentigate.settings.params import load_params;"
        "from sentigate.sources import read_source;"
        "d = load_params(Path(sys.argv[1])).datasets['vader'];"
        "read_source(d.source, d.labels, 100000, Path(sys.argv[2]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, ROOT / "params.yaml", cache],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if "could not fetch" in done.stderr:
        pytest.skip(f"pip cannot reach its index: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return cache


@pytest.fixture
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENTIGATE_MIRROR", raising=False)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("SENTIGATE_MIRROR", str(folder))
    return folder


@pytest.mark.usefixtures("no_mirror")
def test_vader_rows(pip_cache: Path) -> None:
    frame = read(DATASETS["vader"], pip_cache)
    check_contract(frame)
    assert frame["slice"].value_counts(sort=False).to_dict() == {
        "tweets": 4_200,
        "movies": 10_605,
        "amazon": 3_708,
        "nyt": 5_190,
    }
    assert frame["sentiment"].value_counts().to_dict() == {
        "Positive": 10_278,
        "Negative": 9_181,
        "Neutral": 4_244,
    }
    assert set(frame["fold"]) == {""}
    by_id = frame.set_index("id")
    assert by_id.loc["amazon-1_2"].to_dict() == {
        "group": "amazon-1",
        "slice": "amazon",
        "sentiment": "Neutral",
        "text": "repost from january 13, 2004 with a better fit title.",
        "fold": "",
        "date": "",
    }
    assert by_id.loc["amazon-309_8", "sentiment"] == "Negative"
    assert by_id.loc["tweets-2", "group"] == "tweets-2"
    assert not frame["text"].str.contains("[\r\t\n]").any()


@pytest.mark.usefixtures("no_mirror")
def test_with_threshold_zero_only_a_rating_of_zero_is_neutral(pip_cache: Path) -> None:
    dataset = DATASETS["vader"]
    source = dataset.source.model_copy(update={"threshold": 0.0})
    frame = read_source(source, dataset.labels, LONGEST, pip_cache)
    by_id = frame.set_index("id")["sentiment"]
    assert by_id["amazon-1_2"] == "Negative"  # rated -0.15
    assert 0 < (by_id == "Neutral").sum() < 1_000


@pytest.mark.usefixtures("no_mirror")
def test_bands_of_ratings(pip_cache: Path) -> None:
    frame = read(DATASETS["vader_5"], pip_cache)
    check_contract(frame)
    assert frame["sentiment"].value_counts().to_dict() == {
        "1": 2_720,
        "2": 6_461,
        "3": 4_244,
        "4": 6_533,
        "5": 3_745,
    }
    by_threshold = read(DATASETS["vader"], pip_cache)["sentiment"]
    assert by_threshold[frame["sentiment"] == "3"].eq("Neutral").all()
    positive = frame["sentiment"].isin(["4", "5"])
    assert by_threshold[positive].eq("Positive").all()
    assert by_threshold[frame["sentiment"].isin(["1", "2"])].eq("Negative").all()
    others = [column for column in frame if column != "sentiment"]
    pd.testing.assert_frame_equal(frame[others], read(DATASETS["vader"], pip_cache)[others])


@pytest.mark.usefixtures("no_mirror")
def test_vader_in_the_cache_is_one_readable_file_and_needs_no_pip(
    pip_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [path.name for path in pip_cache.iterdir()] == ["vaderSentiment-3.3.2.tar.gz"]
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert len(read(DATASETS["vader"], pip_cache)) == 23_703


def test_vader_from_mirror(pip_cache: Path, mirror: Path, tmp_path: Path) -> None:
    shutil.copy(pip_cache / "vaderSentiment-3.3.2.tar.gz", mirror)
    assert len(read(DATASETS["vader"], tmp_path / "cache")) == 23_703
    assert not (tmp_path / "cache").exists()


@pytest.mark.usefixtures("no_mirror")
def test_vader_changed_in_the_index_is_refused(pip_cache: Path, tmp_path: Path) -> None:
    dataset = DATASETS["vader"]
    source = dataset.source.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(SourceError, match=r"not the file that the settings expect") as caught:
        read_source(source, dataset.labels, LONGEST, tmp_path)
    assert "0" * 64 in str(caught.value)
    assert DATASETS["vader"].source.model_dump()["sha256"] in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_mirror")
def test_vader_without_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(SourceError, match=r"pip could not fetch vaderSentiment==3\.3\.2") as caught:
        read(DATASETS["vader"], tmp_path)
    assert "No matching distribution" in str(caught.value)
    assert "SENTIGATE_MIRROR" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="session")
def tweets(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    archive = mirror_file("twitter-entity-sentiment-analysis.zip")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SENTIGATE_MIRROR", str(archive.parent))
        return read(DATASETS["twitter_random"], tmp_path_factory.mktemp("twitter"))


def test_twitter_rows(tweets: pd.DataFrame) -> None:
    check_contract(tweets)
    train = tweets[tweets["fold"] == "train"]
    assert len(train) == 74_682
    assert train["sentiment"].value_counts().to_dict() == {
        "Negative": 22_542,
        "Positive": 20_832,
        "Neutral": 18_318,
        "Irrelevant": 12_990,
    }
    assert train["group"].nunique() == 12_447
    assert train["slice"].nunique() == 32
    assert (train["text"].str.strip() == "").sum() == 858
    assert train.duplicated(["group", "slice", "sentiment", "text"]).sum() == 2_700
    assert train.iloc[0].to_dict() == {
        "id": "train-1",
        "group": "2401",
        "slice": "Borderlands",
        "sentiment": "Positive",
        "text": "im getting on borderlands and i will murder you all ,",
        "fold": "train",
        "date": "",
    }


def test_the_number_of_texts_that_are_not_empty_is_the_published_one(tweets: pd.DataFrame) -> None:
    rated = tweets[(tweets["fold"] == "train") & tweets["sentiment"].isin(["Positive", "Negative"])]
    assert (rated["text"] != "").sum() == 43_013
    assert (rated["text"].str.strip() != "").sum() == 42_931
    lengths = rated.loc[rated["text"] != "", "text"].str.len()
    assert lengths.min() == 1


def test_twitter_validation_file(tweets: pd.DataFrame) -> None:
    validation = tweets[tweets["fold"] == "validation"]
    train_groups = set(tweets.loc[tweets["fold"] == "train", "group"])
    assert len(validation) == 1_000
    assert set(validation["group"]) <= train_groups
    assert validation["id"].tolist() == [f"validation-{row}" for row in range(1, 1_001)]


def zip_in(mirror: Path) -> Path:
    return mirror / "twitter-entity-sentiment-analysis.zip"


def test_twitter_changed_archive_in_mirror(mirror: Path, tmp_path: Path) -> None:
    archive = zip_in(mirror)
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("twitter_training.csv", '1,Nvidia,Positive,"good"\r\n')
        target.writestr("twitter_validation.csv", '1,Nvidia,Positive,"good"\r\n')
    with pytest.raises(SourceError, match=r"twitter_training\.csv in .*expected 68ebaee4"):
        read(DATASETS["twitter_random"], tmp_path / "cache")
    assert archive.is_file()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"\x00" * 100])
def test_twitter_broken_archive_in_mirror(mirror: Path, tmp_path: Path, content: bytes) -> None:
    zip_in(mirror).write_bytes(content)
    with pytest.raises(SourceError, match="cannot be read as a zip archive"):
        read(DATASETS["twitter_random"], tmp_path)


def test_twitter_archive_without_its_files(mirror: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(zip_in(mirror), "w") as archive:
        archive.writestr("other.csv", "")
    with pytest.raises(SourceError, match=r"no item named 'twitter_training\.csv'"):
        read(DATASETS["twitter_random"], tmp_path)


def test_twitter_text_that_says_na_stays_text(mirror: Path, tmp_path: Path) -> None:
    files = {
        "twitter_training.csv": b'1,Nvidia,Positive,NA\r\n1,Nvidia,Negative,null\r\n2,A,Neutral,"',
        "twitter_validation.csv": b"1,Nvidia,Positive,nan\r\n,,,an afterthought\r\n",
    }
    files["twitter_training.csv"] += b'a ""b""\nc"\r\n'
    with zipfile.ZipFile(zip_in(mirror), "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    dataset = DATASETS["twitter_random"]
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    source = dataset.source.model_copy(update={"sha256": hashes})
    frame = read_source(source, dataset.labels, LONGEST, tmp_path)
    assert frame["text"].tolist() == ["NA", "null", 'a "b"\nc', "nan"]
    assert frame["id"].tolist() == ["train-1", "train-2", "train-3", "validation-1"]


class KaggleStandIn(BaseHTTPRequestHandler):
    """A server for the two requests of kagglehub."""

    archive = b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("GetDataset"):
            body = json.dumps({"currentVersionNumber": 2}).encode()
            kind = "application/json"
        else:
            body, kind = self.archive, "application/zip"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


KAGGLE_SCRIPT = """
import json, sys
from pathlib import Path
from sentigate.errors import SourceError
from sentigate.settings.params import load_params
from sentigate.sources import read_source
dataset = load_params(Path(sys.argv[1])).datasets["twitter"]
try:
    result = str(len(read_source(dataset.source, dataset.labels, 100_000, Path(sys.argv[2]))))
except SourceError as error:
    result = str(error)
print(json.dumps(result))
"""


def through_kaggle(cache: Path, environment: str) -> str:
    """Return the rows or the error of a new process; kagglehub reads its settings on import."""
    settings = {"KAGGLE_API_ENVIRONMENT": environment, "KAGGLEHUB_CACHE": str(cache / "unused")}
    variables = {key: value for key, value in os.environ.items() if key != "SENTIGATE_MIRROR"}
    done = subprocess.run(
        [sys.executable, "-c", KAGGLE_SCRIPT, ROOT / "params.yaml", cache],
        env=variables | settings,
        capture_output=True,
        text=True,
        check=True,
    )
    return str(json.loads(done.stdout.splitlines()[-1]))  # after the lines of kagglehub


def test_twitter_through_kagglehub(tmp_path: Path) -> None:
    archive = mirror_file("twitter-entity-sentiment-analysis.zip")
    try:  # kagglehub's test environment has this fixed port
        server = ThreadingHTTPServer(("127.0.0.1", 7777), KaggleStandIn)
    except OSError as error:
        pytest.skip(f"port 7777: {error}")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        KaggleStandIn.archive = altered_archive(tmp_path).read_bytes()
        refused = through_kaggle(tmp_path / "cache", "TEST")
        assert "twitter_training.csv of Kaggle's" in refused
        assert "expected 68ebaee4" in refused
        assert list((tmp_path / "cache").iterdir()) == []
        KaggleStandIn.archive = archive.read_bytes()
        assert through_kaggle(tmp_path / "cache", "TEST") == "75682"
    finally:
        server.shutdown()
        server.server_close()
    kept = sorted(path.name for path in (tmp_path / "cache").iterdir())
    assert kept == ["twitter_training.csv", "twitter_validation.csv"]
    assert through_kaggle(tmp_path / "cache", "TEST") == "75682"  # without the server


def altered_archive(folder: Path) -> Path:
    path = folder / "altered.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("twitter_training.csv", "1,Nvidia,Positive,good\r\n")
        archive.writestr("twitter_validation.csv", "1,Nvidia,Positive,good\r\n")
    return path


def test_twitter_kaggle_unreachable(tmp_path: Path) -> None:
    message = through_kaggle(tmp_path / "cache", "LOCALHOST")
    assert message.startswith("Kaggle's data set jp797498e/twitter-entity-sentiment-analysis could")
    assert "SENTIGATE_MIRROR" in message
    assert "\n" not in message
    assert list((tmp_path / "cache").iterdir()) == []


def test_imdb_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archive = mirror_file("aclImdb_v1.tar.gz")
    monkeypatch.setenv("SENTIGATE_MIRROR", str(archive.parent))
    frame = read(DATASETS["imdb"], tmp_path)
    check_contract(frame)
    counts = frame.groupby(["fold", "sentiment"]).size().to_dict()
    assert set(counts.values()) == {12_500}
    assert len(counts) == 4
    assert frame["text"].duplicated().sum() == 418
    assert frame["id"].tolist()[:3] == ["train/pos/0_9", "train/pos/1_7", "train/pos/2_9"]
    assert frame["id"].iloc[12_500].startswith("train/neg/0_")
    assert frame["id"].iloc[25_000].startswith("test/pos/0_")
    assert frame["text"].iloc[0].startswith("Bromwell High is a cartoon comedy.")
    assert (frame["id"] == frame["group"]).all()
    ratings = frame.groupby("sentiment")["slice"].unique().map(set).to_dict()
    assert ratings == {"Positive": {"7", "8", "9", "10"}, "Negative": {"1", "2", "3", "4"}}


def test_imdb_stars(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archive = mirror_file("aclImdb_v1.tar.gz")
    monkeypatch.setenv("SENTIGATE_MIRROR", str(archive.parent))
    frame = read(DATASETS["imdb_8"], tmp_path)
    check_contract(frame)
    folders = read(DATASETS["imdb"], tmp_path)
    assert frame["sentiment"].tolist() == folders["slice"].tolist()
    assert set(frame["slice"]) == {""}
    same = ["id", "group", "text", "fold"]
    pd.testing.assert_frame_equal(frame[same], folders[same])
    assert frame.loc[frame["fold"] == "train", "sentiment"].value_counts().to_dict() == {
        "1": 5_100,
        "10": 4_732,
        "8": 3_009,
        "4": 2_696,
        "7": 2_496,
        "3": 2_420,
        "2": 2_284,
        "9": 2_263,
    }


def test_own_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    dataset = DATASETS["csv"]
    assert isinstance(dataset.source, TableSource)
    frame = read(dataset, tmp_path)
    check_contract(frame)
    assert frame["sentiment"].value_counts().to_dict() == {
        "positive": 3572,
        "negative": 2353,
        "neutral": 400,
    }
    assert b"\r" not in Path("data/own/csv/example.csv").read_bytes()


def test_the_example_was_sampled_as_its_readme_says(pip_cache: Path) -> None:
    def rated(threshold: float) -> pd.DataFrame:
        dataset = DATASETS["vader"]
        source = dataset.source.model_copy(update={"threshold": threshold})
        rows = read(dataset.model_copy(update={"source": source}), pip_cache)
        rows["hash"] = [hashlib.sha256(name.encode()).hexdigest() for name in rows["id"]]
        return rows.sort_values("hash")

    strong, weak = rated(1.5), rated(0.5)
    chosen = pd.concat(
        [
            strong.loc[strong["sentiment"] != "Neutral"].groupby("slice").head(1800),
            weak.loc[weak["sentiment"] == "Neutral"].groupby("slice").head(100),
        ]
    ).sort_values("hash")
    chosen["sentiment"] = chosen["sentiment"].str.lower()
    example = pd.read_csv(ROOT / "data/own/csv/example.csv", dtype="str", keep_default_na=False)
    assert example.columns.tolist() == ["id", "text", "sentiment", "source", "document"]
    columns = ["id", "text", "sentiment", "slice", "group"]
    assert example.to_numpy().tolist() == chosen[columns].to_numpy().tolist()


def test_import_is_light() -> None:
    script = (
        "import sys, sentigate.sources; print(sorted({'torch', 'mlflow', 'great_expectations',"
        "'requests', 'kagglehub', 'rich', 'pyarrow.parquet'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
