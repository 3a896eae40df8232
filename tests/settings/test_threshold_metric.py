"""A threshold decides between two classes only."""

from __future__ import annotations

import pytest
from support.params import set_value, tiny_values

from sentigate.errors import ParamsError
from sentigate.settings.params import parse_params


def test_a_threshold_metric_is_refused_with_three_classes() -> None:
    values = tiny_values()
    set_value(values, "models.tiny.training.threshold_metric", "mcc")
    parse_params(values, "params.yaml")
    set_value(values, "datasets.csv.classes", {"names": ["bad", "so-so", "good"]})
    labels = {"negative": "bad", "neutral": "so-so", "positive": "good"}
    set_value(values, "datasets.csv.labels", labels)
    with pytest.raises(ParamsError) as error:
        parse_params(values, "params.yaml")
    assert (
        "models.tiny.training.threshold_metric is 'mcc' with the 3 classes of datasets/csv.yaml; "
        "allowed: null, or two classes"
    ) in str(error.value)
