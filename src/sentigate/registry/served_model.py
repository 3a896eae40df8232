"""The MLflow model, "from code", so that nothing is pickled.

MLflow copies this file into each registered model and runs it on loading.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from sentigate_model.labels import label_of
from sentigate_model.predictor import Predictor  # in the registered model's own code folder


class SentimentModel(PythonModel):
    """A list of raw strings in, a label, a probability and a note for each out."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the model's files."""
        self.predictor = Predictor(Path(context.artifacts["model"]))

    def predict(self, model_input: list[str]) -> pd.DataFrame:  # type: ignore[override]  # MLflow's way
        """Judge each text.

        Returns:
            Columns ``label``, positive or negative, ``probability`` of positive, and ``note``, ""
            or why there is nothing in the text to go by, or how much of it was read.

        Raises:
            MlflowException: a text holds half a surrogate pair, which JSON can write.
        """
        for number, text in enumerate(model_input):
            try:
                text.encode()
            except UnicodeEncodeError:
                raise MlflowException.invalid_parameter_value(
                    f"text {number} (from 0) holds half a surrogate pair (\\ud800 to \\udfff), "
                    "which is no character"
                ) from None
        probabilities, notes = self.predictor.judge(model_input)
        labels = [label_of(probability) for probability in probabilities]
        return pd.DataFrame({"label": labels, "probability": probabilities, "note": notes})


set_model(SentimentModel())
