"""How off-policy estimates did over many logs whose truth is known."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from medml.treatment.off_policy import Evaluation


def judge(answer: Evaluation, truth: float, **more) -> Iterator[dict]:
    """Yield a row for each estimate of a log: its error, and whether its interval holds the truth.

    Parameters
    ----------
    answer : Evaluation
        Of `evaluate` with `refuse=False`, so that what would be refused can be judged too.
    truth : float
    **more
        What every row shall hold besides, such as ``target=``.
    """
    common = {"accepted": not answer.reasons, "effective": answer.effective}
    common |= {"largest": answer.largest, "mean_weight": answer.mean_weight.estimate} | more
    for name, row in answer.table.iterrows():
        held = bool(row["low"] <= truth <= row["high"])
        yield common | {"estimator": name, "error": float(row["estimate"] - truth), "held": held}


def summarise_coverage(rows: list[dict], truths: dict[str, float]) -> Iterator[dict]:
    """Yield a row for each target and estimator, counted over all logs and over the kept ones.

    Parameters
    ----------
    rows : list of dict
        Rows of `judge` with `target`, log after log; perhaps with `model_error`.
    truths : dict of str to float
        By target.

    Yields
    ------
    dict
        `logs`, `accepted` and `held_…` are counts; `effective`, `largest` and `mean_weight` are
        medians over logs; `bias_…` and `rmse_…` of the estimates; `first_…` of the first log.
        None where nothing was kept.
    """
    for (target, estimator), group in pd.DataFrame(rows).groupby(
        ["target", "estimator"], sort=False
    ):
        row = {"target": target, "estimator": estimator, "truth": truths[target]}
        row |= {"logs": len(group), "accepted": int(group["accepted"].sum())}
        for name in ("effective", "largest", "mean_weight"):
            row[name] = float(group[name].median())
        for name, some in (("all", group), ("kept", group[group["accepted"]])):
            row[f"held_{name}"] = int(some["held"].sum())
            row[f"bias_{name}"] = some["error"].mean()
            row[f"rmse_{name}"] = np.sqrt((some["error"] ** 2).mean())
        if "model_error" in group:
            error = group["model_error"]
            row |= {"model_bias": error.mean(), "model_sd": error.std()}
        row["first_error"], row["first_effective"] = group[["error", "effective"]].iloc[0]
        yield {name: None if pd.isna(value) else value for name, value in row.items()}
