"""baseline: what a linear model reaches on the same split, so that no figure stands alone."""

from __future__ import annotations

from pathlib import Path

from pipeline.stage import Output, StageRun, run
from sentigate.data.stage_files import read_table
from sentigate.evaluation.baseline import fit_predict
from sentigate.evaluation.metrics import classification_figures, matthews_correlation
from sentigate.progress import doing


def baseline(stage: StageRun) -> Output:
    """Write reports/baseline.json, and a probability per validation and test row."""
    params = stage.params.baseline
    splits = read_table(Path("data/split/texts.parquet"), ["id", "split", "label", "text"])
    train = splits.loc[splits["split"] == "train"]
    others = splits.loc[splits["split"] != "train"]
    doing("fitting TF-IDF and logistic regression")
    probability = fit_predict(
        train["text"].tolist(),
        train["label"].to_numpy(),
        others["text"].tolist(),
        max_ngram=params.max_ngram,
        min_count=params.min_count,
        inverse_regularization=params.inverse_regularization,
        seed=stage.params.seed,
    )
    predictions = stage.write_table(
        others.drop(columns="text").assign(probability=probability),
        "reports/baseline_predictions.parquet",
    )
    doing("measuring, with bootstrap intervals")
    figures = {
        str(name): classification_figures(
            part["label"].to_numpy(),
            part["probability"].to_numpy(),
            samples=stage.params.evaluate.bootstrap_samples,
            bins=stage.params.evaluate.calibration_bins,
            seed=stage.params.seed,
        )
        for name, part in predictions.groupby("split")
    }
    stage.write_json(figures, "reports/baseline.json")
    print(f"  test accuracy {figures['test']['accuracy']:.4f}")
    mcc = matthews_correlation(
        predictions["label"].to_numpy(), predictions["probability"].to_numpy()
    )
    return Output(
        predictions.assign(mcc=mcc), {"min_baseline_mcc": stage.params.gates.min_baseline_mcc}
    )


if __name__ == "__main__":
    run("baseline", baseline)
