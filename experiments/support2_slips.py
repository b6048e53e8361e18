"""Whose values are these? SUPPORT2's day-3 values slid to other patients in the second phase.

What was seen beforehand: in the rows where glucose, bun and urine were recorded (the study's
second phase), no day-3 value tells anything of the outcome, of the diagnosis or of the patient's
own acute physiology score `aps`; in the first phase all of them do. Within windows of 150 rows of
the second phase, values from 14, 47 or 73 rows further down fit. A first version left out eleven
rows that lack all three values: the distance seemed to fall by one and to rise again 47 rows
later. A review found that each of these dips ends at one of the eleven rows, which therefore
belong to the second phase; with them its size is the published one.

`aps` is a sum of points for pulse, blood pressure, creatinine and so on. The script learns it from
these values in the first phase, predicts it for each row of the second phase, and finds the
distances at which predicted and recorded `aps` agree best along the whole file (Viterbi's
algorithm; each change of distance costs as much as an error of 60 points). No outcome is used. Runs
in which they agree are stored, and written to ``medml/data/support2_slips.csv``.

Who judges the result? The first version asked death in hospital and the study's other score,
`sps`. A review found that both prove nothing: `aps` tells of death, so values of strangers that
were chosen to fit a patient's `aps` tell of it too. Therefore the script now also searches in
values of the second phase whose rows were shuffled. What these strangers reach is chance. The
judges are traits of the patient that had no part in the search and that medicine ties to one
value: cirrhosis to bilirubin and albumin, diabetes to glucose, chronic obstructive lung disease
to pH, sex to creatinine, sepsis to white cells. The review had looked at fifteen such pairs before
these six were written down; none spoke against the distances. Death stays, to show how it misleads.

Run it with ``python experiments/support2_slips.py``, about 3 CPU-seconds.
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
SHORT = 50  # rows: runs below it could be chance by their length
DRAWS = 20  # shuffled files
JUDGES = (
    ("cirrhosis", "bili"),
    ("cirrhosis", "alb"),
    ("diabetes", "glucose"),
    ("COPD", "ph"),
    ("man", "crea"),
    ("sepsis", "wblc"),
    ("death in hospital", "crea"),
    ("death in hospital", "bun"),
)


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


def chance(recorded, predicted):
    """Return the runs found in shuffled files: for each, patients and whose values they got."""
    believed = []
    for draw in range(DRAWS):
        order = np.random.default_rng([SEED, draw]).permutation(len(predicted))
        path = best_distances(recorded, predicted[order])
        for run in runs(recorded, predicted[order], path):
            here = np.arange(run["start"], run["stop"])
            believed.append((here, order[here + run["distance"]]))
    return believed


def traits(records):
    """Return what is known of each patient apart from the values of day 3."""
    group = records["dzgroup"]
    return {
        "cirrhosis": (group == "Cirrhosis").to_numpy(),
        "COPD": (group == "COPD").to_numpy(),
        "sepsis": (group == "ARF/MOSF w/Sepsis").to_numpy(),
        "diabetes": (records["diabetes"] == 1).to_numpy(),
        "man": (records["sex"] == "male").to_numpy(),
        "death in hospital": (records["hospdead"] == 1).to_numpy(),
    }


def judge(records, found, believed_by_chance):
    """Yield how well single values tell traits: first phase, and the second in four ways."""
    second = second_phase(records)
    first, rows = (records[side].reset_index(drop=True) for side in (~second, second))
    moved = [
        (
            np.arange(run["start"], run["stop"]),
            np.arange(run["start"], run["stop"]) + run["distance"],
        )
        for run in found
        if run["distance"]
    ]
    ways = {
        "as filed": [(here, here) for here, _ in moved],
        "moved": moved,
        "moved, short runs": [pair for pair in moved if len(pair[0]) < SHORT],
        "chance": believed_by_chance,
    }
    of_first, of_second = traits(first), traits(rows)
    for trait, value in JUDGES:
        line = {"part": "judge", "trait": trait, "value": value}
        if first[value].notna().any():
            line["first phase"] = told(of_first[trait], first[value].to_numpy())
        for words, pairs in ways.items():
            here, there = (np.concatenate(side) for side in zip(*pairs, strict=True))
            line[words] = told(of_second[trait][here], rows[value].to_numpy()[there])
        yield line


def told(trait, values):
    """Return the AUROC of a value for a trait, among patients with the value."""
    known = np.isfinite(values)
    return auroc(trait[known], values[known])


def extent(words, lengths, draws=1):
    """Return how many rows a search believed, per draw, and how long its longest run is."""
    return {
        "part": "extent",
        "search": words,
        "rows": sum(lengths) / draws,
        "longest": max(lengths),
    }


def main():
    """Find the runs, store them, and write the table that the loader reads."""
    records = load_support2()
    recorded, predicted = predicted_scores(records)
    found = list(runs(recorded, predicted, best_distances(recorded, predicted)))
    table = pd.DataFrame(found)[["start", "stop", "distance"]]
    table.to_csv(Path(medml.data.__file__).with_name("support2_slips.csv"), index=False)
    by_chance = chance(recorded, predicted)
    lengths = [run["stop"] - run["start"] for run in found]
    extents = [
        extent("the file", lengths),
        extent("shuffled files", [len(here) for here, _ in by_chance], DRAWS),
    ]
    experiment.store(
        __file__,
        [*({"part": "run"} | run for run in found), *extents, *judge(records, found, by_chance)],
        seed=SEED,
        packages=["numpy", "pandas", "scikit-learn"],
        inputs=[locate("support2", "support2.csv")],
    )


if __name__ == "__main__":
    main()
