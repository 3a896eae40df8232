"""The HTTP service: its answers, its errors of one line, its pages, and its metrics."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from support.registry import TEXTS, THREE, write_files

from sentigate.cli.serve import explain
from sentigate.model.columns import Columns
from sentigate.model.predictor import Predictor
from sentigate.serving.batching import Served
from sentigate.serving.http import MAX_EXPLAINED, PAGE, REFERENCE, Service, create_app
from sentigate.serving.request_texts import MAX_TEXTS

JSON = "application/json"


def served(folder: Path) -> Served:
    return Served(Predictor(folder), "sentigate-made", "3", folder)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    folder = tmp_path_factory.mktemp("service") / "files"
    files = write_files(folder, THREE, ["a fine film , warm ."])
    return Service(served(files), explain, None)


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service), raise_server_exceptions=False) as client:
        yield client


def predictions(client: TestClient, path: str, content: object) -> list[dict[str, Any]]:
    answer = client.post(path, json=content)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["predictions"]
    return found


# Answers


def test_an_answer_has_the_models_label_probabilities_and_note(
    client: TestClient, service: Service
) -> None:
    texts = ["A fine film.", "fine " * 30, "", "\U0001f600"]
    answer = client.post("/predict", json={"texts": texts})
    assert (answer.status_code, answer.headers["content-type"]) == (200, JSON)
    assert (answer.json()["model"], answer.json()["version"]) == ("sentigate-made", "3")
    expected = service.batcher.model.judge.judge(texts)
    for row, found in enumerate(answer.json()["predictions"]):
        chances = [found[f"probability_{name}"] for name in THREE.names]
        assert list(found) == [
            "label", "confidence", *(f"probability_{name}" for name in THREE.names), "note"
        ]  # fmt: skip
        assert chances == pytest.approx(expected.probabilities[row].tolist(), abs=1e-6)
        assert found["label"] == expected.labels[row]
        assert found["confidence"] == max(chances)
        assert found["note"] == expected.notes[row]
    assert expected.notes[1] == "cut: 24 of 30 tokens read"


def test_all_forms_of_a_request_get_the_same_answers(client: TestClient) -> None:
    texts = ["A fine film.", "not fine"]
    expected = predictions(client, "/predict", {"texts": texts})
    for text, row in zip(texts, expected, strict=True):  # another batch: the last bits may differ
        (alone,) = predictions(client, "/predict", {"text": text})
        assert alone == {
            key: pytest.approx(value, abs=1e-6) if isinstance(value, float) else value
            for key, value in row.items()
        }
    records = [{"text": text, "id": n} for n, text in enumerate(texts)]
    table = {"columns": ["id", "text"], "data": [[n, text] for n, text in enumerate(texts)]}
    for content in (
        {"inputs": texts},
        {"instances": texts},
        {"inputs": records},
        {"dataframe_records": records},
        {"dataframe_split": table},
        {"dataframe_split": {**table, "index": [7, 8]}},
    ):
        assert predictions(client, "/invocations", content) == expected, content
    lines = "id,text\n0,A fine film.\n1,not fine\n"
    answer = client.post("/invocations", content=lines, headers={"Content-Type": "text/csv"})
    assert answer.json()["predictions"] == expected


def test_a_request_without_texts_gets_no_answers(client: TestClient) -> None:
    assert predictions(client, "/predict", {"texts": []}) == []
    assert client.post("/invocations", json={"inputs": []}).text == '{"predictions": []}'


def test_an_explanation_adds_up_to_the_logit(client: TestClient) -> None:
    text = "A fine, warm film. Unheard!"
    for about in (None, *THREE.names):
        content = {"text": text} if about is None else {"text": text, "class": about}
        found = client.post("/explain", json=content).json()
        parts = sum(token["contribution"] for token in found["tokens"])
        total = found["start"] + parts + found["beyond"] + found["remainder"]
        assert total == pytest.approx(found["logit"], abs=1e-6)
        assert found["class"] == (about or found["label"])
        shown = "".join(token["before"] + token["text"] for token in found["tokens"])
        assert shown == text.lower()
    (answer,) = predictions(client, "/predict", {"text": text})
    assert found["label"] == answer["label"]
    assert found["confidence"] == pytest.approx(answer["confidence"], abs=1e-6)


def test_the_state_is_told(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    state = client.get("/version").json()
    assert (state["model"], state["version"]) == ("sentigate-made", "3")
    assert state["classes"] == list(THREE.names)
    assert client.get("/readyz").json() == state
    for path in ("/ping", "/health"):
        assert client.get(path).text == "\n"


def test_a_promoted_version_answers_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_files(tmp_path / "files", THREE)
    looks: list[str] = []

    def newer(now: Served) -> Served | None:
        looks.append(now.version)
        if len(looks) == 1:
            raise OSError("the registry is away")
        return now._replace(version="4") if now.version == "3" else None

    monkeypatch.setattr("sentigate.serving.http.POLL_SECONDS", 0.01)
    service = Service(served(files), explain, newer)
    with TestClient(create_app(service)) as client:
        while len(looks) < 4:
            assert predictions(client, "/predict", {"text": "fine"})
        assert client.post("/predict", json={"text": "fine"}).json()["version"] == "4"
    assert looks[:4] == ["3", "3", "4", "4"]


# Refusals

BAD: list[tuple[str, bytes, str | None, int, str]] = [
    *(
        (path, body, kind, status, said)
        for path in ("/invocations", "/predict", "/explain")
        for body, kind, status, said in (
            (b'{"inputs": ["a"]}', None, 415, "send application/json"),
            (b"a=b", "application/x-www-form-urlencoded", 415, "send application/json"),
            (b"PAR1", "application/vnd.apache.parquet", 415, "send application/json"),
            (b"{}", "application/json; charset=latin-1", 415, "send UTF-8"),
            (b"", JSON, 400, "the body is not JSON: Expecting value"),
            (b"{", JSON, 400, "the body is not JSON"),
            (b"[" * 20_000, JSON, 400, "nested too deep"),
            (b'{"a":' * 20_000, JSON, 400, "nested too deep"),
            (b'{"text": "\xff"}', JSON, 400, "can't decode byte 0xff"),
            (b'{"text": ' + b"1" * 5000 + b"}", JSON, 400, "the body is not JSON"),
            (b"null", JSON, 400, "not a JSON object"),
            (b"NaN", JSON, 400, "not a JSON object"),
            (b'["a text"]', JSON, 400, "not a JSON object"),
            (b"{}", JSON, 400, "the body has n"),
            (b'{"text": "a", "messages": []}', JSON, 400, "the body has n"),
        )
    ),
    *(
        (path, b'{"%s": %s}' % (name, content), JSON, status, said)
        for path, name in (("/invocations", b"inputs"), ("/predict", b"texts"))
        for content, status, said in (
            (b'["fine", "no \\ud800"]', 400, "s[1] has half a surrogate pair"),
            (b"[" * 500 + b"]" * 500, 400, "s[0] is not a text"),
            (b"[" + b'"",' * MAX_TEXTS + b'""]', 413, "100,001 texts"),
            (b'"a text"', 400, "s is not a list of texts"),
            (b"null", 400, "s is not a list of texts"),
            (b'{"text": ["a"]}', 400, "s is not a list of texts"),
            (b'[{"id": 1}]', 400, "trained on the column 'text'"),
            (b'[{"text": [1]}]', 400, "text"),
            *(
                (b'["a", %s]' % value, 400, "s[1] is not a text")
                for value in (b"null", b"3", b"NaN", b"1e999", b"true", b'["a"]', b'{"a": "b"}')
            ),
        )
    ),
    *(
        ("/invocations", body, JSON, 400, said)
        for body, said in (
            (b'{"inputs": ["a"], "messages": []}', "'messages' beside inputs"),
            (b'{"inputs": ["a"], "instances": ["a"]}', "no list of texts under inputs"),
            (b'{"dataframe_split": 3}', "dataframe_split is not a table"),
            (b'{"dataframe_split": {"columns": ["text"], "data": [["a", 1]]}}', "is not a table"),
            (b'{"dataframe_records": "a"}', "dataframe_records is not a list of objects"),
            (b'{"dataframe_records": ["a"]}', "dataframe_records is not a list of objects"),
            (b'{"dataframe_split": {"columns": [["text"]], "data": []}}', "is not a table"),
        )
    ),
    ("/invocations", b"", "text/csv", 400, "the body is not CSV"),
    ("/invocations", b'a,b\n1,2,3\n"', "text/csv", 400, "the body is not CSV"),
    ("/predict", b'{"text": NaN}', JSON, 400, "texts[0] is not a text"),
    ("/explain", b'{"text": 1}', JSON, 400, "text[0] is not a text"),
    ("/explain", b'{"text": "a", "class": "awful"}', JSON, 400, "negative, neutral, positive"),
    ("/explain", b'{"text": "a", "class": ["a"]}', JSON, 400, "negative, neutral, positive"),
    ("/explain", b'{"text": "%s"}' % (b"a" * (MAX_EXPLAINED + 1)), JSON, 413, "at most 1,000"),
]


def check_error(status: int, text: str) -> str:
    assert 400 <= status < 500, text
    error: dict[str, Any] = json.loads(text)
    assert set(error) == {"error_code", "message"}
    assert error["error_code"]
    message: str = error["message"]
    assert len(message.splitlines()) == 1
    assert len(message) < 400
    assert "Traceback" not in message
    return message


@pytest.mark.parametrize(
    ("path", "body", "kind", "status", "said"), BAD, ids=[str(n) for n in range(len(BAD))]
)
def test_a_bad_request_is_refused_in_one_line(
    client: TestClient, path: str, body: bytes, kind: str | None, status: int, said: str
) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    answer = client.post(path, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert said in check_error(answer.status_code, answer.text)


def test_an_unknown_path_or_method_is_refused(client: TestClient) -> None:
    for answer, status, said in (
        (client.post("/nope"), 404, "Not Found"),
        (client.get("/predict"), 405, "Method Not Allowed"),
    ):
        assert answer.status_code == status
        assert check_error(answer.status_code, answer.text) == said


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["text", "columns", "data", "x", ""]), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["text", "texts", "class", "inputs", "instances", "dataframe_split", "dataframe_records"]
)


@given(
    path=st.sampled_from(["/predict", "/invocations", "/explain"]),
    content=st.dictionaries(KEYS, ANY, max_size=2),
)
def test_any_json_is_answered_or_refused(
    client: TestClient, path: str, content: dict[str, Any]
) -> None:
    body = json.dumps(content, allow_nan=True).encode(errors="surrogatepass")
    answer = client.post(path, content=body, headers={"Content-Type": JSON})
    if answer.status_code == 200:
        json.loads(answer.text, parse_constant=lambda name: pytest.fail(f"the answer has {name}"))
    else:
        check_error(answer.status_code, answer.text)


def test_a_failure_has_no_reason_in_its_answer(tmp_path: Path) -> None:
    files = write_files(tmp_path / "files", THREE)

    def broken(*given: object) -> dict[str, Any]:
        raise RuntimeError(f"secret of {tmp_path}")

    app = create_app(Service(served(files), broken, None))
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post("/explain", json={"text": "fine"})
    assert answer.status_code == 500
    assert answer.json()["message"] == "the service failed; its log has the reason"


def test_with_a_token_every_request_but_one_needs_it(service: Service) -> None:
    client = TestClient(create_app(service, "right"))  # not started: nothing is judged
    assert client.get("/healthz").status_code == 200
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "right"}):
        for path in ("/version", "/", "/docs", "/metrics", "/openapi.json", "/nope"):
            answer = client.get(path, headers=headers)
            assert answer.status_code == 401
            assert "Bearer TOKEN" in check_error(401, answer.text)
    assert client.get("/version", headers={"Authorization": "Bearer right"}).status_code == 200


# Pages, and metrics


@pytest.mark.parametrize("path", [PAGE, REFERENCE], ids=lambda path: path.stem)
def test_a_page_asks_no_other_machine(client: TestClient, path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"https?://|(?:src|href)=[\"']//|@import|url\(", text)
    found = client.get("/" if path == PAGE else "/docs")
    assert found.text == text


def test_the_description_has_the_paths_and_examples_that_work(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    expected = {"/predict", "/invocations", "/explain", "/healthz", "/readyz", "/version"}
    assert set(paths) == {*expected, "/metrics"}
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert operation["description"]
            body = operation.get("requestBody")
            if body:
                schema = body["content"][JSON]["schema"]
                schema = schema.get("oneOf", [schema])[0]
                (name,) = schema["required"]
                kind = schema["properties"][name]
                example = kind.get("example") or [kind["items"]["example"]]
                assert client.request(method, path, json={name: example}).status_code == 200


def test_metrics_count_requests_texts_and_notes(tmp_path: Path) -> None:
    files = write_files(tmp_path / "files", THREE)
    with TestClient(create_app(Service(served(files), explain, None))) as client:
        client.post("/predict", json={"texts": TEXTS})
        client.post("/predict", json={"texts": 3})
        client.get("/" + string.ascii_letters)
        text = client.get("/metrics").text
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert figures['sentigate_requests_total{path="/predict",status="200"}'] == "1.0"
    assert figures['sentigate_requests_total{path="/predict",status="400"}'] == "1.0"
    assert figures['sentigate_requests_total{path="other",status="404"}'] == "1.0"
    labels = [float(n) for name, n in figures.items() if name.startswith("sentigate_texts_total")]
    assert sum(labels) == len(TEXTS)
    assert float(figures["sentigate_notes_total"]) > 0
    assert figures["sentigate_waiting_texts"] == "0.0"


def test_rows_of_a_table_are_joined_as_in_training(tmp_path: Path) -> None:
    files = write_files(tmp_path / "files", THREE)
    Columns(text=("title", "text"), context=("brand", "stars")).save(files)
    with TestClient(create_app(Service(served(files), explain, None))) as client:
        row = {"title": "two hours", "text": "fine film", "brand": "Acme", "stars": 1}
        text = "__context_brand__acme __context_stars__1 two hours fine film"
        for path, name in (("/predict", "texts"), ("/invocations", "inputs")):
            (joined,) = predictions(client, path, {name: [row]})
            assert joined == predictions(client, path, {name: [text]})[0]
        answer = client.post("/predict", json={"texts": [{"title": "two hours"}]})
        assert "'title', 'text'" in check_error(answer.status_code, answer.text)
