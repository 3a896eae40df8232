"""The MLflow model, "from code": MLflow copies this file into each registered model and runs it
on loading, so nothing is pickled.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext
from sentigate_model.predictor import Predictor  # in the registered model's own code folder


class SentimentModel(PythonModel):
    """A list of raw strings in, a label and a probability for each out."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the model's files."""
        self.predictor = Predictor(Path(context.artifacts["model"]))

    def predict(self, model_input: list[str]) -> list[dict[str, Any]]:
        """For each text: ``label``, positive or negative, and ``probability`` of positive."""
        return [
            {
                "label": "positive" if probability >= 0.5 else "negative",
                "probability": round(float(probability), 6),
            }
            for probability in self.predictor(model_input)
        ]


set_model(SentimentModel())
