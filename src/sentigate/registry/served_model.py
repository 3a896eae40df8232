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
    """Raw texts in, a label, a probability and a note for each out."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the model's files."""
        self.predictor = Predictor(Path(context.artifacts["model"]))

    # With the hint list[str], MLflow would make a table its first column and refuse a Series; a
    # wider one it does not allow. That it lets lists through is in ``package_model``.
    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:  # type: ignore[override]  # MLflow's way
        """Judge each text.

        Args:
            model_input: texts as a list, a tuple, a Series or an array; or a table, as
                ``Columns.texts_of`` reads it.

        Returns:
            Columns ``label``, positive or negative, ``probability`` of positive, and ``note``, ""
            or why there is nothing in the text to go by, or how much of it was read. Rows have the
            index of a table or Series.

        Raises:
            MlflowException: it is none of these, no text, or a text holds half a surrogate pair,
                which JSON can write.
        """
        try:
            texts = self.predictor.columns.texts_of(model_input)
        except ValueError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from None
        for number, text in enumerate(texts):
            try:
                text.encode()
            except UnicodeEncodeError:
                raise MlflowException.invalid_parameter_value(
                    f"text {number} (from 0) holds half a surrogate pair (\\ud800 to \\udfff), "
                    "which is no character"
                ) from None
        probabilities, notes = self.predictor.judge(texts)
        labels = [label_of(probability) for probability in probabilities]
        answers = {"label": labels, "probability": probabilities, "note": notes}
        given = model_input.index if isinstance(model_input, pd.DataFrame | pd.Series) else None
        return pd.DataFrame(answers, index=given)


set_model(SentimentModel())
