"""The MLflow model, defined "from code", so that it needs no pickle.

MLflow copies this file into each registered model, and runs the copy when it loads the model.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from sentigate_model.predictor import Predictor  # in the registered model's code folder


class SentimentModel(PythonModel):
    """Answers raw texts: a label, its confidence, the probabilities and a note for each."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the model's files."""
        self.predictor = Predictor(Path(context.artifacts["model"]))

    # With the hint list[str], MLflow would reduce a table to its first column and refuse a Series,
    # and it allows no wider hint. Lists pass because of the signature in ``package_model``.
    def predict(self, model_input: pd.DataFrame) -> pd.DataFrame:  # type: ignore[override]  # MLflow's way
        """Judge each text.

        Args:
            model_input: texts as a list, a tuple, a Series or an array; or a table that
                ``Columns.texts_of`` can read.

        Returns:
            A row for each text, with the index of a given table or Series. Columns: ``label`` (a
            class name), ``confidence`` (the probability of that class, float32), for each class
            ``probability_<class name>`` (float32), and ``note`` ("", or why the text holds nothing
            to go by, or how much of it was read).

        Raises:
            MlflowException: the input is none of these, a value is not a text, or a text has half a
                surrogate pair, which JSON can express.
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
                    "which is not a character"
                ) from None
        answers = self.predictor.judge(texts)
        columns = {"label": answers.labels, "confidence": answers.confidences}
        for name, column in zip(self.predictor.classes.names, answers.probabilities.T, strict=True):
            columns[f"probability_{name}"] = column
        given = model_input.index if isinstance(model_input, pd.DataFrame | pd.Series) else None
        return pd.DataFrame({**columns, "note": answers.notes}, index=given)


set_model(SentimentModel())
