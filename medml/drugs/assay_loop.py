"""The assay loop: choose molecules, measure them, learn from the result, choose again.

It is played on molecules that have all been measured; the loop sees a value only after it has
chosen the molecule. The choosers look at draws: plausible values of every candidate, as many
times as the model has opinions.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.ensemble import RandomForestRegressor

from medml.drugs.hits import families

# Takes fingerprints and values of what was assayed, fingerprints of the candidates and a
# generator; returns draws, shape (draws, candidates).
Surrogate = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
# Takes draws, fingerprints of the candidates, how many to choose and a generator; returns places.
Chooser = Callable[[np.ndarray, np.ndarray, int, np.random.Generator], np.ndarray]


class Pool(NamedTuple):
    """Molecules that the loop may choose from, with what an assay would say.

    Attributes
    ----------
    bits : numpy.ndarray of 0 and 1, shape (n, bits)
        Fingerprints.
    measured : numpy.ndarray of shape (n,)
        Measured values, such as pX; higher is better.
    hit : numpy.ndarray of bool, shape (n,)
        Which molecules the loop is to find.
    scaffold : numpy.ndarray of str, shape (n,)
    """

    bits: np.ndarray
    measured: np.ndarray
    hit: np.ndarray
    scaffold: np.ndarray


def make_pool(
    bits: np.ndarray, measured: ArrayLike, scaffold: ArrayLike, share: float = 0.05
) -> Pool:
    """Return a pool whose hits are a share of the molecules with the highest values.

    Parameters
    ----------
    bits : numpy.ndarray of 0 and 1, shape (n, bits)
    measured : array_like of shape (n,)
    scaffold : array_like of str, shape (n,)
        See `splits.scaffold`.
    share : float
        Of hits. Values equal to the last one count too, so there can be a few more.

    Raises
    ------
    ValueError
        If there is no molecule, lengths differ, a value is not finite, the share is out of range,
        or all are hits.
    """
    measured, scaffold = np.asarray(measured, float), np.asarray(scaffold, str)
    if not 0 < len(bits) == len(measured) == len(scaffold):
        lengths = f"{len(bits)} fingerprints, {len(measured)} values and {len(scaffold)} scaffolds"
        raise ValueError(f"expected one of each for every molecule, got {lengths}")
    if not np.isfinite(measured).all():
        raise ValueError(f"expected finite values, got {measured[~np.isfinite(measured)][0]}")
    if not 0 < share < 1:
        raise ValueError(f"expected a share of hits between 0 and 1, got {share}")
    count = max(1, round(share * len(measured)))
    hit = measured >= np.sort(measured)[-count]
    if hit.all():
        raise ValueError(f"all {len(hit)} molecules would be hits: nothing is to be found")
    return Pool(bits, measured, hit, scaffold)


def run_loop(
    pool: Pool,
    choose: Chooser,
    *,
    start: int,
    batch: int,
    rounds: int,
    seed: int,
    control: int = 0,
    surrogate: Surrogate | None = None,
) -> pd.DataFrame:
    """Play the loop once.

    The first molecules are drawn at random. Then each round learns from all that was assayed and
    assays `batch` more: `control` of them drawn at random, the others chosen.

    What was chosen was chosen because its prediction was high, perhaps by luck: its predictions can
    be too high on average, and the values that were measured describe the choice, not the pool. The
    control is free of that choice and says what the pool is like and how good the model is.

    Parameters
    ----------
    pool : Pool
    choose : callable
        One of `CHOOSERS`.
    start, batch, rounds : int
        Molecules assayed before the first round and in each, and number of rounds.
    seed : int
    control : int
        Molecules of each batch that are drawn at random.
    surrogate : callable, optional
        The model; `forest_draws` if none is given.

    Returns
    -------
    pandas.DataFrame of rounds + 1 rows, indexed by round from 0
        `assayed`, so far; `found`, hits among them, and `share` of all hits; `scaffolds`, different
        ones among the hits found; `predicted` and `measured`, means over what was chosen in this
        round, and `control_predicted` and `control_measured` over the control (NaN without).

    Raises
    ------
    ValueError
        If the pool is smaller than what shall be assayed, or a number is out of its range.

    References
    ----------
    Graff DE, Shakhnovich EI, Coley CW (2021) Accelerating high-throughput virtual screening through
    molecular pool-based active learning, doi:10.1039/D0SC06805E. On choices that disappoint: Smith
    JE, Winkler RL (2006) The optimizer's curse, doi:10.1287/mnsc.1050.0451.
    """
    _check(len(pool.measured), start, batch, rounds, control)
    surrogate = surrogate or forest_draws
    generator = np.random.default_rng(seed)
    assayed = np.zeros(len(pool.measured), bool)
    assayed[generator.choice(len(assayed), start, replace=False)] = True
    rows = [_count(pool, assayed)]
    for _ in range(rounds):
        left = np.flatnonzero(~assayed)
        draws = surrogate(pool.bits[assayed], pool.measured[assayed], pool.bits[left], generator)
        by_chance = generator.choice(len(left), control, replace=False)
        free = np.setdiff1d(np.arange(len(left)), by_chance)
        chosen = free[choose(draws[:, free], pool.bits[left[free]], batch - control, generator)]
        assayed[left[chosen]] = assayed[left[by_chance]] = True
        rows.append(
            _count(pool, assayed)
            | _compare("", draws[:, chosen], pool.measured[left[chosen]])
            | _compare("control_", draws[:, by_chance], pool.measured[left[by_chance]])
        )
    return pd.DataFrame(rows).rename_axis("round")


def forest_draws(
    bits: np.ndarray, values: np.ndarray, candidates: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Return what each of 100 trees of a random forest predicts, shape (100, candidates).

    Each tree has seen other molecules and other bits: where they differ, the forest does not know.
    """
    seed = int(generator.integers(2**31))
    forest = RandomForestRegressor(100, max_features="sqrt", random_state=seed).fit(bits, values)
    inputs = candidates.astype(np.float32)
    return np.stack([tree.predict(inputs, check_input=False) for tree in forest.estimators_])


def greedy(draws, bits, count, generator):
    """Choose the highest mean: what looks best now."""
    return np.argsort(-draws.mean(axis=0), kind="stable")[:count]


def upper_confidence(draws, bits, count, generator):
    """Choose the highest mean + standard deviation: good, or not known not to be (UCB)."""
    return np.argsort(-draws.mean(axis=0) - draws.std(axis=0), kind="stable")[:count]


def uncertain(draws, bits, count, generator):
    """Choose the highest standard deviation: learn, whatever it is worth."""
    return np.argsort(-draws.std(axis=0), kind="stable")[:count]


def thompson(draws, bits, count, generator):
    """Take the best of one draw after another: each is a guess at how things are."""
    chosen = []
    free = np.ones(draws.shape[1], bool)
    for draw in generator.integers(len(draws), size=count):
        best = np.argmax(np.where(free, draws[draw], -np.inf))
        chosen.append(best)
        free[best] = False
    return np.array(chosen, int)


def diverse(draws, bits, count, generator):
    """Choose leaders of families (`hits.families`) by their mean, among the best 20 × count."""
    best = greedy(draws, bits, 20 * count, generator)
    _, leaders = np.unique(families(bits[best], most=count), return_index=True)
    others = np.setdiff1d(np.arange(len(best)), leaders)
    return best[np.concatenate([np.sort(leaders), others])[:count]]


def at_random(draws, bits, count, generator):
    """Choose without looking: what every other must beat."""
    return generator.choice(draws.shape[1], count, replace=False)


CHOOSERS: dict[str, Chooser] = {
    "greedy": greedy,
    "UCB": upper_confidence,
    "Thompson": thompson,
    "diverse": diverse,
    "uncertain": uncertain,
    "random": at_random,
}


def _check(size: int, start: int, batch: int, rounds: int, control: int) -> None:
    """Raise a ValueError if the loop cannot be played."""
    if start < 2 or rounds < 1 or not 0 <= control <= batch or batch < 1:
        msg = (
            "expected start ≥ 2, rounds ≥ 1, batch ≥ 1 and control from 0 to batch, got "
            f"{start}, {rounds}, {batch} and {control}"
        )
        raise ValueError(msg)
    if start + rounds * batch > size:
        msg = f"{start} + {rounds} × {batch} assays for a pool of {size}: plan fewer"
        raise ValueError(msg)


def _count(pool: Pool, assayed: np.ndarray) -> dict[str, float]:
    """Return what has been found so far."""
    found = assayed & pool.hit
    return {
        "assayed": int(assayed.sum()),
        "found": int(found.sum()),
        "share": found.sum() / pool.hit.sum(),
        "scaffolds": len(set(pool.scaffold[found])),
    }


def _compare(prefix: str, draws: np.ndarray, measured: np.ndarray) -> dict[str, float]:
    """Return the means of predictions and of measurements, NaN of nothing."""
    if not len(measured):
        return {f"{prefix}predicted": np.nan, f"{prefix}measured": np.nan}
    return {f"{prefix}predicted": draws.mean(), f"{prefix}measured": measured.mean()}
