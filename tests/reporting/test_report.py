from __future__ import annotations

import base64
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.answers import EVALUATE, STARS, answers_frame, class_answers, some_classes, two
from support.pages import Page

from sentigate.evaluation.behaviour_cases import Case
from sentigate.evaluation.class_figures import class_figures
from sentigate.evaluation.failures import failure_groups
from sentigate.evaluation.formats import share
from sentigate.evaluation.metrics import classification_figures
from sentigate.evaluation.mistakes import confident_errors
from sentigate.evaluation.slices import slice_figures
from sentigate.model.labels import BINARY, Classes
from sentigate.reporting.report import render_report

# The smallest PNG file: one transparent pixel.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def reading(cut: int, last: int) -> dict[str, Any]:
    """Make reports/pad.json for 200 test texts, of which ``cut`` are longer than 64 tokens."""
    figures = {
        "texts": 200,
        "cut_texts": cut,
        "characters": 10_000,
        "unread_characters": 50 * cut,
    }
    return {"max_length": 64, "last": last, "splits": {"test": figures}}


@pytest.fixture
def context(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    probabilities = np.clip(labels * 0.3 + rng.random(200) * 0.7, 0, 1)
    slices = np.array(["films", "<i>tweets</i>"])[np.arange(200) // 2 % 2]
    rows = answers_frame(labels, probabilities, slices).assign(text="plain text")
    predicted = rows["predicted"].to_numpy()
    figures = classification_figures(labels, two(probabilities), BINARY, EVALUATE, seed=1)
    picture = tmp_path / "roc.png"
    picture.write_bytes(PIXEL)
    return {
        "dataset": "vader",
        "model": "bilstm",
        "baseline": "nb<svm>, the strongest of 3 linear models on validation: it counts words",
        "classes": BINARY,
        "figures": {
            "classes": class_figures(labels, two(probabilities), predicted, BINARY, EVALUATE, 1),
            "test": {**figures, "accuracy": 0.8123},
            "network": {**figures, "accuracy": 0.7654},
            "baseline": {**figures, "accuracy": 0.7},
            "validation": figures,
            "majority": {"accuracy": 0.5},
            "difference": {
                "accuracy": 0.1123,
                "accuracy_low": 0.05,
                "accuracy_high": 0.16,
                "only_model_right": 1034,
                "only_baseline_right": 7,
                "p_value": 0.003,
            },
            "network_difference": {
                "accuracy": 0.0654,
                "accuracy_low": -0.01,
                "accuracy_high": 0.13,
                "only_model_right": 801,
                "only_baseline_right": 799,
                "p_value": 0.4,
            },
            "fusion": {"share": 0.25, "temperature": 1.1},
            "calibration": {"temperature": 1.1, "error_before": 0.05, "error_after": 0.02},
            "behaviour": {
                "cases": 3,
                "passed": 0.333,
                "unknown_words_probability": 0.61,
                "training_positives": 0.53,
            },
        },
        "splits": {
            name: {"rows": size, "classes": {"negative": 1 - share, "positive": share}}
            for name, size, share in (("train", 12_345, 0.5), ("test", 200, 0.333))
        },
        "leakage": {"group": 0.0, "text": 0.0, "near_copy": 0.0},
        "reading": reading(0, 0),
        "slices": slice_figures(rows, BINARY),
        "failures": failure_groups(
            rows.assign(baseline_predicted=1, length=[5] * 150 + [30] * 50, unknown_share=0.1)
        ),
        "behaviour": pd.DataFrame(
            [
                ("spelling", "INV", "a typo", "the same", "so nice", "so ncie", 0.9, 0.3, False),
                ("words", "MFT", "a word", "positive", "nice", "", 0.9, np.nan, True),
                ("words", "MFT", "a word", "negative", "<b>bad</b>", "", 0.8, np.nan, False),
            ],
            columns=[*Case._fields, "probability", "changed_probability", "passed"],
        ),
        "errors": confident_errors(rows, 3),
        "gates": ["clean", "a b/c"],
        "images": {"ROC <curve>": picture},
    }


def test_page_is_well_formed_and_shows_the_figures(context):
    page = Page(render_report(**context))
    for words in (
        "bilstm on vader",
        "81.2 %",
        "76.5 %",
        "+11.2 points",
        "+31.2 points",
        "12,345",
        "33.3 %",
    ):
        assert words in page.words
    assert f"{context['figures']['test']['log_loss']:.3f}" in page.words
    assert f"The baseline is {context['baseline']}." in page.words


def test_report_says_whether_the_difference_is_real(context):
    words = " ".join(Page(render_report(**context)).words.split())
    assert "11.2 points above the linear baseline's" in words
    assert "p = 0.003: a real difference." in words
    assert "The model is right and the baseline wrong on 1,034 texts, the reverse on 7." in words
    assert "The accuracy of the network alone is 6.5 points above the linear baseline's" in words
    said = "The network alone is right and the baseline wrong on 801 texts, the reverse on 799."
    assert said in words
    assert "The linear baseline has a share of 25.0 % in the logit of each answer" in words


def test_a_model_without_fusion_is_compared_once(context):
    context["figures"]["fusion"]["share"] = 0.0
    words = " ".join(Page(render_report(**context)).words.split())
    assert words.count("the linear baseline's (95 %") == 1
    assert "has a share of" not in words


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("difference", "The model is worse than the linear baseline."),
        ("network_difference", "The network alone is worse than the linear baseline."),
    ],
)
def test_report_warns_of_a_model_worse_than_the_baseline(context, key, said):
    assert "is worse than" not in Page(render_report(**context)).words
    context["figures"][key] |= {"accuracy": -0.145, "p_value": 0.0004}
    html = render_report(**context)
    (banner,) = re.findall(r'<div class="banner" role="alert">(.*?)</div>', html, re.DOTALL)
    assert f'<strong class="bad">{said}</strong>' in banner
    assert "14.5 points below the linear baseline&#39;s" in banner
    context["figures"][key] |= {"p_value": 0.4}
    assert "is worse than" not in render_report(**context)


def test_failures_are_shown_beside_the_baseline(context):
    words = " ".join(Page(render_report(**context)).words.split())
    failures = context["failures"].set_index("group")
    assert "length5 tokens150" in words
    row = failures.loc["6 to 30 tokens"]
    figures = f"{row['rows']}{row['errors']} {share(row['accuracy'])}"
    assert f"6 to 30 tokens{figures}" in words
    assert f"{share(row['accuracy_low'])} to {share(row['accuracy_high'])} 50.0 %" in words
    assert "unknown tokensup to 20 %200" in words


def test_behaviour_is_shown_with_examples(context):
    page = Page(render_report(**context))
    words = " ".join(page.words.split())
    assert "3 cases test the capabilities of the model" in words
    assert "33.3 % passed" in words
    shown = "spellingINV10.0 % so nice 0.900 → so ncie 0.300a typo; expected: the same"
    assert shown in words
    assert "wordsMFT250.0 % <b>bad</b> 0.800a word; expected: negative" in words
    assert "The mean answer to texts of unknown words only is 0.610" in words
    assert "the share of positive training texts is 0.530" in words
    context["behaviour"]["passed"] = True
    words = " ".join(Page(render_report(**context)).words.split())
    assert "spellingINV1100.0 % none" in words


def test_page_is_reproducible_and_names_no_folder(context, tmp_path):
    page = render_report(**context)
    assert page == render_report(**context)
    assert str(tmp_path) not in page


def test_texts_slices_and_titles_are_escaped(context):
    nasty = "</div><script>alert(1)</script><img src=x onerror=alert(1)> &amp; \"' 😀 ünï"
    context["errors"].loc[0, "text"] = nasty
    context["errors"].loc[1, "slice"] = nasty
    context["errors"].loc[2, "id"] = nasty
    context["dataset"] = context["model"] = nasty
    page = Page(render_report(**context))
    assert "script" not in page.tags
    assert "i" not in page.tags
    assert page.tags.count("img") == 1
    assert page.words.count(nasty) == 7  # title and heading hold both names
    assert "<i>tweets</i>" in page.words
    assert ("img", "alt", "ROC <curve>") in page.attributes


def test_nothing_is_fetched(context):
    context["errors"].loc[0, "text"] = "see https://example.com/ and <a href='http://x.y'>z</a>"
    html = render_report(**context)
    page = Page(html)
    assert "link" not in page.tags
    targets = {
        value for _, name, value in page.attributes if name in ("src", "href", "srcset", "action")
    }
    assert {value for value in targets if not value.startswith("data:")} == {
        "data.html",
        "gates/clean.html",
        "gates/a%20b/c.html",
    }
    style = re.search("<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    assert not re.search(r"url\(|@import|http", style[1])


def test_image_is_embedded_with_its_size(context):
    page = Page(render_report(**context))
    sources = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert [base64.b64decode(value.split(",")[1]) for value in sources] == [PIXEL]
    assert {("img", "width", "1"), ("img", "height", "1")} <= set(page.attributes)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_missing_figures_show_as_a_dash(context, value):
    for kind in ("test", "baseline", "validation"):
        context["figures"][kind] = {**context["figures"][kind], "auroc": value}
    context["figures"]["validation"] = {"accuracy": value}
    context["slices"].loc[0, "f1"] = value
    words = Page(render_report(**context)).words
    assert words.count("–") >= 3
    for missing in ("nan", "None", "inf "):
        assert missing not in words


@pytest.mark.parametrize(
    ("group", "text", "near_copy", "said", "unsaid"),
    [
        (0.93, 0.0, 0.0, ["93.0 % of them belong"], ["word for word", "have a near-copy"]),
        (0.0, 0.00001, 0.0, ["< 0.1 % of them have a text"], ["belong to a group"]),
        (0.5, 0.25, 0.0, ["50.0 % of them belong", "25.0 % of them have a text"], []),
        (0.0, 0.0, 0.125, ["12.5 % of them have a near-copy"], ["belong to", "word for word"]),
        (0.0, 0.0, 0.0, [], ["The test rows leak", "belong to a group", "word for word"]),
    ],
)
def test_report_warns_of_leakage(context, group, text, near_copy, said, unsaid):
    context["leakage"] = {"group": group, "text": text, "near_copy": near_copy}
    page = Page(render_report(**context))
    assert (("div", "role", "alert") in page.attributes) == bool(said)
    for words in said:
        assert words in page.words
    for words in unsaid:
        assert words not in page.words
    assert f"Test rows whose group occurs in training: {share(group)}" in page.words
    assert f"Test rows whose exact text occurs in training: {share(text)}" in page.words
    near = "Test rows with a near-copy of another group in training:"
    assert f"{near} {share(near_copy)}" in page.words


@pytest.mark.parametrize(
    ("cut", "last", "share", "said"),
    [
        (0, 0, 0.4, "The network reads every test text in full: none has more than 64 tokens"),
        (20, 0, 0.4, "The network reads the first 64 tokens of a text"),
        (20, 0, 0.4, "20 of 200 test texts are longer. It does not read their end, 10.0 % of the"),
        (20, 0, 0.4, "The linear model reads every text in full."),
        (20, 16, 0.0, "The network reads the first 48 and the last 16 tokens of a text"),
        (20, 16, 0.0, "It does not read their middle, 10.0 % of the characters"),
    ],
)
def test_report_says_how_much_of_the_texts_is_not_read(context, cut, last, share, said):
    context["reading"] = reading(cut, last)
    context["figures"]["fusion"]["share"] = share
    assert said in " ".join(Page(render_report(**context)).words.split())


def test_long_text_is_folded_and_complete(context):
    long = "word " * 2000
    context["errors"].loc[0, "text"] = long
    page = Page(render_report(**context))
    assert page.tags.count("details") == 1
    assert long in page.words
    assert "(10,000 characters)" in page.words


def test_error_shows_the_prediction_and_its_confidence(context):
    context["errors"] = pd.DataFrame(
        {
            "id": ["r1", "r2"],
            "slice": ["films", "films"],
            "text": ["one", "two"],
            "label": [1, 0],
            "predicted": [0, 1],
            "confidence": [0.875, 0.75],
        }
    )
    words = " ".join(Page(render_report(**context)).words.split())
    assert "onepositivenegative87.5 % surefilmsr1" in words
    assert "twonegativepositive75.0 % surefilmsr2" in words


def test_gates_are_named(context):
    """Thresholds are not shown, because a changed threshold must not change the page."""
    words = Page(render_report(**context)).words
    assert "clean✓ passed" in words
    assert "a b/c✓ passed" in words


def test_report_without_errors_and_images(context):
    context |= {"errors": context["errors"].head(0), "images": {}, "gates": []}
    page = Page(render_report(**context))
    assert "The list is empty." in page.words
    assert "Plots" not in page.words


def of_classes(context: dict[str, Any], classes: Classes) -> dict[str, Any]:
    """Return the context of a report on a data set with these classes."""
    labels, probabilities = class_answers(classes.count)
    rows = answers_frame(labels, probabilities, "films")
    predicted = rows["predicted"].to_numpy()
    figures = classification_figures(labels, probabilities, classes, EVALUATE, seed=1)
    parts = dict.fromkeys(("test", "network", "baseline", "validation"), figures)
    parts["classes"] = class_figures(labels, probabilities, predicted, classes, EVALUATE, 1)
    shares = dict(zip(classes.names, np.bincount(labels) / len(labels), strict=True))
    kept = {key: value for key, value in context["figures"].items() if key != "behaviour"}
    return context | {
        "classes": classes,
        "figures": kept | parts,
        "splits": {"train": {"rows": 500, "classes": shares}},
        "slices": slice_figures(rows, classes),
        "behaviour": None,
        "errors": confident_errors(rows, 3),
    }


def test_every_class_has_its_figures(context):
    context["figures"]["classes"]["negative"] |= {"precision": 0.1234, "precision_low": None}
    words = " ".join(Page(render_report(**context)).words.split())
    part = context["figures"]["classes"]["negative"]
    assert f"negative100 12.3 %– to {share(part['precision_high'])}" in words
    assert f"{share(part['f1'])}{share(part['f1_low'])} to {share(part['f1_high'])}" in words
    assert "SplitTextsnegativepositive train12,34550.0 %50.0 %" in words


@pytest.mark.parametrize(
    "classes",
    [STARS, some_classes(3), some_classes(12), Classes(names=("ham", "spam"))],
    ids=lambda classes: str(classes.count),
)
def test_report_of_other_classes_names_them_alone(context, classes):
    context = of_classes(context, classes)
    words = " ".join(Page(render_report(**context)).words.split())
    for name in classes.names:
        assert name in words
    behaviour = "The behavioural tests did not run. They expect the answers negative and positive,"
    assert behaviour in words
    others = re.sub(r"The behavioural tests did not run\. .*?The classes are", "", words)
    for word in ("negative", "ositive class", "positive text", "of positive", "Positive"):
        assert word not in others
    test = context["figures"]["test"]
    assert ("Macro F1Mean of" in words) == (classes.count >= 2)
    assert ("PrecisionShare" in words) == (classes.count == 2)
    assert ("mean absolute error" in words.lower()) == (classes is STARS)
    if classes is STARS:
        assert f"{test['quadratic_weighted_kappa']:.3f}" in words
    row = context["errors"].iloc[0]
    actual, predicted = classes.names[row["label"]], classes.names[row["predicted"]]
    assert f"{actual}{predicted}{share(row['confidence'])} surefilms" in words


def test_report_says_what_an_accuracy_is_worth_on_skewed_texts(context):
    assert "already has an accuracy" not in Page(render_report(**context)).words
    figures = context["figures"]
    figures["majority"] = {"accuracy": 0.96}
    figures["test"] |= {"accuracy": 0.965, "balanced_accuracy": 0.61, "macro_f1": 0.64}
    figures["classes"]["negative"]["rows"] = 192
    figures["classes"]["positive"]["rows"] = 8
    words = " ".join(Page(render_report(**context)).words.split())
    assert "96.0 % of the test texts are negative" in words
    assert "already has an accuracy of 96.0 %, and the model has 96.5 %." in words
    assert "Balanced accuracy61.0 % mean recall of the 2 classes" in words
    assert "Macro F164.0 % mean F1 of the 2 classes, 200 test texts" in words


def test_names_of_classes_are_escaped(context):
    classes = Classes(names=("<i>bad</i>", "a & b", "$x$"))
    page = Page(render_report(**of_classes(context, classes)))
    assert "i" not in page.tags
    for name in classes.names:
        assert name in page.words
