"""Insulin dosing learnt by PPO, judged on virtual patients that the policy has never met.

Five folds over the 30 patients of the UVA/Padova simulator: a policy learns from 24 and is judged
on the other six, with 100 episodes of three days each and meals that no training has seen. All
controllers meet the same episodes, so differences are paired. Settings: meals scaled to body
weight with rescue carbohydrates, the same without rescue, and adult meals for everybody with
announcements wrong by 30 % (rescue on). "PPO, descriptors" also sees age, weight, daily dose, CR,
CF and basal rate of its patients. "tuned clinic" is a rival with two factors, of the basal rate
and of the bolus, chosen on the same 24 patients for the same reward.

Looked at beforehand: the reward, the observations and the actions come from earlier prototypes,
in which all 30 patients took part. Discount, λ, rate, width and the number of iterations were
chosen on folds 1 and 4 of this script, so folds 0, 2 and 3 are given apart. Run it with
``python experiments/insulin_folds.py``, about 35 CPU-minutes; it can be stopped and started
again.
"""

from pathlib import Path

import pandas as pd
import torch
from tqdm import tqdm

from medml.course import experiment
from medml.data.catalogue import locate
from medml.files import sha256, write_text
from medml.treatment.controllers import Pid, basal_bolus, stronger_clinic
from medml.treatment.course import treat
from medml.treatment.measures import measure_course
from medml.treatment.patients import patient_folds
from medml.treatment.policy import STORED, load_policy, save_policy
from medml.treatment.training import Settings, learn
from medml.treatment.tuning import tune_clinic

SETTINGS = Settings()
SEEDS = range(3)
SITUATIONS = {
    "rescue": {},
    "no rescue": {"rescue": False},
    "unscaled meals": {"scaled_meals": False, "counting_error": 0.3},
}
LEARNT = "rescue, patients learnt from"
EPISODES = 100  # of each held-out patient; 25 of each patient learnt from
FIRST_EPISODE = 50_000_000  # far from the seeds of any training
MEASURES = ["in_range", "below_70", "below_54", "above_180", "risk", "failure"]
WORK = Path(__file__).parents[1] / "_build" / "insulin_folds"


def train(fold, seed, descriptors=False):
    """Return the policy of a fold, trained or read from an earlier run of this script."""
    name = f"fold{fold}-seed{seed}{'-descriptors' * descriptors}"
    path = WORK / f"{name}.pt"
    if not path.exists():
        settings = Settings(seed=1000 * fold + seed, descriptors=descriptors)
        names = patient_folds()[fold][0]
        save_policy(learn(names, settings, checkpoint=WORK / f"{name}.run").policy, path)
    return load_policy(path)


def contestants():
    """Yield name and seed of everyone who treats the patients of a fold, the reference first."""
    yield from ((name, None) for name in ("basal-bolus", "stronger clinic", "tuned clinic", "PID"))
    yield from (("PPO", seed) for seed in SEEDS)
    yield "PPO, descriptors", 0


def controller(name, seed, fold):
    """Return a contestant ready for the held-out patients of a fold."""
    if name.startswith("PPO"):
        return train(fold, seed, "descriptors" in name).controller()
    if name == "tuned clinic":
        return tune_clinic(patient_folds()[fold][0], seed=fold)
    return {"basal-bolus": basal_bolus, "stronger clinic": stronger_clinic, "PID": Pid()}[name]


def judge(name, seed, fold, situation):
    """Return the measures of each episode, computed or read from an earlier run of this script."""
    path = WORK / f"fold{fold} {name} {seed} {situation}.csv"
    if not path.exists():
        learnt, held_out = patient_folds()[fold]
        names = learnt * (EPISODES // 4) if situation == LEARNT else held_out * EPISODES
        first = FIRST_EPISODE + 10_000 * fold
        setting = SITUATIONS.get(situation, {})
        treated = treat(controller(name, seed, fold), names, seed=first, **setting)
        write_text(path, measure_course(treated)[MEASURES].to_csv())
    return pd.read_csv(path, index_col=["patient", "episode"])


def describe(table, reference):
    """Return means of each patient, and the standard error of the difference to a reference."""
    means = table.groupby("patient").mean()
    error = (table - reference).groupby("patient").sem()
    row = {"patients": means.index.tolist()}
    row |= {name: means[name].round(4).tolist() for name in MEASURES}
    return row | {f"{name}_se": error[name].round(4).tolist() for name in MEASURES[:3]}


def judge_fold(fold):
    """Return the rows of a fold."""
    rows = []
    for situation in (*SITUATIONS, LEARNT):
        reference = judge("basal-bolus", None, fold, situation)
        for name, seed in contestants():
            if situation == LEARNT and seed not in (None, SEEDS[0]):
                continue
            row = {"fold": fold, "situation": situation, "controller": name, "seed": seed}
            rows.append(row | describe(judge(name, seed, fold, situation), reference))
    return rows


def main():
    """Train and judge all folds; keep the policies of the first seed beside the table."""
    torch.set_num_threads(1)
    for fold in range(5):
        save_policy(train(fold, SEEDS[0]), STORED / f"fold{fold}.pt")
    policies = {f"fold{fold}": sha256(STORED / f"fold{fold}.pt") for fold in range(5)}
    rows = [row for fold in tqdm(range(5), "folds") for row in judge_fold(fold)]
    experiment.store(
        __file__,
        [{"settings": vars(SETTINGS), "policies": policies}, *rows],
        seed=0,
        packages=["numpy", "torch", "scipy"],
        inputs=[locate("virtual-patients", name) for name in ("vpatient_params.csv", "Quest.csv")],
    )


if __name__ == "__main__":
    main()
