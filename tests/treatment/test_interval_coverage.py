"""Counts over logs: what was accepted, what held the truth, and by how much estimates erred."""

import numpy as np
import pandas as pd
import pytest

from medml.statistics import Interval
from medml.treatment.interval_coverage import judge, summarise_coverage
from medml.treatment.off_policy import Evaluation


def answer(estimate, low, high, reasons=()):
    """An evaluation with one estimator."""
    row = {"estimate": estimate, "low": low, "high": high}
    table = pd.DataFrame([row], index=["weighted"])
    return Evaluation(table, 12.0, 0.1, Interval(0.9, 0.5, 1.3), reasons)


def test_a_log_is_judged_by_error_and_by_whether_its_interval_holds_the_truth():
    """The ends belong to the interval; a reason to refuse means not accepted."""
    (row,) = judge(answer(0.7, 0.5, 0.8), 0.8, target="t")
    assert (row["accepted"], row["held"], row["target"]) == (True, True, "t")
    assert row["error"] == pytest.approx(-0.1)
    (row,) = judge(answer(0.7, 0.5, 0.79, ("too few",)), 0.8)
    assert (row["accepted"], row["held"]) == (False, False)


def test_kept_logs_are_counted_apart_from_all():
    """Errors 0.1, -0.1 and 0.3; the last log is refused, and only the first interval holds."""
    rows = [
        *judge(answer(0.9, 0.7, 1.0), 0.8, target="t", model_error=-0.2),
        *judge(answer(0.7, 0.6, 0.75), 0.8, target="t", model_error=0.0),
        *judge(answer(1.1, 1.0, 1.2, ("too few",)), 0.8, target="t", model_error=0.2),
    ]
    (row,) = summarise_coverage(rows, {"t": 0.8})
    assert (row["logs"], row["accepted"], row["held_all"], row["held_kept"]) == (3, 2, 1, 1)
    assert row["bias_all"] == pytest.approx(0.1)
    assert row["bias_kept"] == pytest.approx(0)
    assert row["rmse_all"] == pytest.approx(np.sqrt(0.11 / 3))
    assert row["rmse_kept"] == pytest.approx(0.1)
    assert (row["model_bias"], row["model_sd"]) == pytest.approx((0, 0.2))
    assert row["first_error"] == pytest.approx(0.1)


def test_nothing_kept_gives_none():
    """Not NaN, which is no JSON."""
    rows = judge(answer(0.7, 0.5, 0.8, ("too few",)), 0.8, target="t")
    (row,) = summarise_coverage(list(rows), {"t": 0.8})
    assert (row["accepted"], row["bias_kept"], row["rmse_kept"]) == (0, None, None)
