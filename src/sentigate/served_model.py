"""The MLflow model, "from code", so that nothing is pickled.

MLflow copies this file into each registered model and runs it on loading.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from sentigate_model.predictor import Predictor  # in the registered model's own code folder


class SentimentModel(PythonModel):
    """A list of raw strings in, a label and a probability for each out."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the model's files."""
        self.predictor = Predictor(Path(context.artifacts["model"]))

    def predict(self, model_input: list[str]) -> pd.DataFrame:  # type: ignore[override]  # MLflow's way
        """For each text: ``label``, positive or negative, and ``probability`` of positive."""
        probabilities = self.predictor(model_input)
        labels = np.where(probabilities >= 0.5, "positive", "negative")
        return pd.DataFrame({"label": labels, "probability": probabilities})


set_model(SentimentModel())
