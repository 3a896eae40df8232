#!/bin/sh
# Belief: a pyfunc model whose `predict` asks for `list[str]` refuses a DataFrame with more than one
# column, because nothing says which of them holds the texts.
# Version: mlflow 3.17.2 with pandas 3.1.1, Python 3.11.
# Behaviour: MLFlow converts the DataFrame to its first column and passes that on. No error and no warning
# says that other columns were there. Whichever column is leftmost is judged: the same table
# with its columns in another order gets other answers.
# Output: "columns title, text: judged ['A', 'B']; columns text, title: judged ['fine film', 'dull film']".
# Exits 1 when such a table is refused, or a warning names the column.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet mlflow==3.17.2 pandas==3.1.1
cat > "$folder/echo.py" <<'PYTHON'
import mlflow


class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, model_input: list[str]) -> list[str]:
        return model_input


mlflow.models.set_model(Echo())
PYTHON
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import warnings

import mlflow
import pandas as pd

mlflow.pyfunc.save_model("model", python_model="echo.py")
model = mlflow.pyfunc.load_model("model")
table = pd.DataFrame({"title": ["A", "B"], "text": ["fine film", "dull film"]})
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        judged = [list(model.predict(table[names])) for names in (["title", "text"], ["text", "title"])]
    except Exception as error:
        print(f"refused: {type(error).__name__}: {error}")
        sys.exit(1)
print(f"columns title, text: judged {judged[0]}; columns text, title: judged {judged[1]}")
told = any("column" in str(one.message).lower() for one in caught)
sys.exit(0 if judged == [["A", "B"], ["fine film", "dull film"]] and not told else 1)
PYTHON
