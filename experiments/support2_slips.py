"""Whose values are these? SUPPORT2's day-3 values slid to other patients in the second phase.

What was seen beforehand: in the rows where glucose, bun and urine were recorded (the study's
second phase, 4,793 patients), no day-3 value tells anything of the outcome, of the diagnosis or of
the patient's own acute physiology score `aps`; in the first phase (4,312 patients) all of them do.
Within windows of 150 rows of the second phase, values from 14, 47 or 73 rows further down fit.

`aps` is a sum of points for pulse, blood pressure, creatinine and so on. The script learns it from
these values in the first phase, predicts it for each row of the second phase, and finds the
distances at which predicted and recorded `aps` agree best along the whole file (Viterbi's
algorithm; each change of distance costs as much as an error of 60 points). No outcome is used. Runs
in which they agree are stored, and written to ``medml/data/support2_slips.csv``. Diagnosis, `sps`
and death in hospital, which had no part in this, judge the result.

Run it with ``python experiments/support2_slips.py``, about 5 CPU-seconds.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

import medml.data
from medml.course import experiment
from medml.data.catalogue import locate
from medml.data.records import load_support2
from medml.data.slips import MOVED, second_phase
from medml.statistics import auroc

SEED = 20261127
BOTH_PHASES = [name for name in MOVED if name not in ("glucose", "bun", "urine")]
FARTHEST = 130  # rows
CHANGE = 60.0  # points of aps that a change of distance costs
WORST = 30.0  # points: a larger error costs no more
AGREE = 0.8  # correlation within a run that is believed
SHORTEST = 8  # rows: a correlation of fewer may be chance
EDGE = 2  # rows at each end of a run whose side is uncertain
JUDGES = ("crea", "hrt", "meanbp", "bili", "alb", "bun", "urine")


def predicted_scores(records):
    """Return `aps` of the second phase, recorded and predicted from the values beside it."""
    second = second_phase(records)
    first = records[~second & records["aps"].notna()]
    model = HistGradientBoostingRegressor(max_iter=200, random_state=SEED)
    model.fit(first[BOTH_PHASES], first["aps"])
    rows = records[second]
    recorded = rows["aps"].fillna(rows["aps"].median()).to_numpy()
    return recorded, model.predict(rows[BOTH_PHASES])


def best_distances(recorded, predicted):
    """Return for each row how many rows further down its values stand, by Viterbi's algorithm."""
    rows = len(recorded)
    cost = np.full((rows, FARTHEST + 1), WORST)
    for distance in range(FARTHEST + 1):
        error = np.abs(recorded[: rows - distance] - predicted[distance:])
        cost[: rows - distance, distance] = np.minimum(error, WORST)
    total, came_from = cost[0] + CHANGE * (np.arange(FARTHEST + 1) > 0), np.empty(cost.shape, int)
    for row in range(1, rows):
        cheapest = total.argmin()
        jump = total[cheapest] + CHANGE
        came_from[row] = np.where(total <= jump, np.arange(FARTHEST + 1), cheapest)
        total = np.minimum(total, jump) + cost[row]
    path = np.empty(rows, int)
    path[-1] = total.argmin()
    for row in range(rows - 1, 0, -1):
        path[row - 1] = came_from[row, path[row]]
    return path


def runs(recorded, predicted, path):
    """Yield the runs of one distance in which recorded and predicted scores agree."""
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    for first, last in zip(starts, [*starts[1:], len(path)], strict=True):
        distance = int(path[first])
        start, stop = first + (EDGE if first else 0), min(last - EDGE, len(path) - distance)
        if stop - start < SHORTEST:
            continue
        pair = recorded[start:stop], predicted[start + distance : stop + distance]
        agreement = np.corrcoef(*pair)[0, 1]
        if agreement >= AGREE:
            yield {
                "start": int(start),
                "stop": int(stop),
                "distance": distance,
                "agreement": round(float(agreement), 3),
            }


def judge(records, found):
    """Yield how well values tell death in hospital: first phase, second as filed, and moved."""
    second = second_phase(records)
    rows = records[second].reset_index(drop=True)
    here = np.concatenate([np.arange(run["start"], run["stop"]) for run in found])
    there = np.concatenate(
        [np.arange(run["start"], run["stop"]) + run["distance"] for run in found]
    )
    died = rows["hospdead"].to_numpy()[here]
    for name in JUDGES:
        line = {"part": "judge", "column": name}
        first = records[~second][["hospdead", name]].dropna()
        if len(first):
            line["first phase"] = auroc(first["hospdead"], first[name])
        for words, source in (("as filed", here), ("moved", there)):
            values = rows[name].to_numpy()[source]
            known = np.isfinite(values)
            line[words] = auroc(died[known], values[known])
        yield line


def main():
    """Find the runs, store them, and write the table that the loader reads."""
    records = load_support2()
    recorded, predicted = predicted_scores(records)
    found = list(runs(recorded, predicted, best_distances(recorded, predicted)))
    table = pd.DataFrame(found)[["start", "stop", "distance"]]
    table.to_csv(Path(medml.data.__file__).with_name("support2_slips.csv"), index=False)
    experiment.store(
        __file__,
        [*({"part": "run"} | run for run in found), *judge(records, found)],
        seed=SEED,
        packages=["numpy", "pandas", "scikit-learn"],
        inputs=[locate("support2", "support2.csv")],
    )


if __name__ == "__main__":
    main()
