"""Sepsis in intensive care as a table of probabilities: ICU-Sepsis, estimated from MIMIC-III.

Nobody can be looked up in it: a state is a cluster of measurements, not a patient.
"""

from typing import NamedTuple

import numpy as np

from medml.data.catalogue import DataError, locate

LEVELS = 5  # of fluids and of vasopressors; level 0 is none
DEATH, SURVIVAL, AFTER = 713, 714, 715
_SHAPES = {
    "tx_mat": (716, 25, 716),
    "d_0": (716,),
    "expert_policy": (716, 25),
    "sofa_scores": (716,),
}


class Sepsis(NamedTuple):
    """The decision process, and what clinicians did in it.

    Attributes
    ----------
    transitions : numpy.ndarray of shape (716, 25, 716)
        Probability of the next state, after four hours, given state and action.
    rewards : numpy.ndarray of shape (716,)
        Reward of arriving in a state: 1 for survival, else 0.
    start : numpy.ndarray of shape (716,)
        Probability of the first state.
    terminal : numpy.ndarray of bool, shape (716,)
        Death, survival and the state after the end: no decision is left.
    clinicians : numpy.ndarray of shape (716, 25)
        How often clinicians chose each action; rows of terminal states are 0.
    sofa : numpy.ndarray of shape (716,)
        Mean SOFA score (organ failure, 0 to 24) of each cluster; 0 for terminal states.
    """

    transitions: np.ndarray
    rewards: np.ndarray
    start: np.ndarray
    terminal: np.ndarray
    clinicians: np.ndarray
    sofa: np.ndarray


def load_sepsis() -> Sepsis:
    """Return the decision process of ICU-Sepsis: 716 states, 25 actions.

    Action 5 f + v gives fluids of level f and vasopressors of level v, 0 to 4 each
    (`fluid_level`, `vasopressor_level`). An action that clinicians hardly took in a state has the
    mean transition of the common ones there: no effect of it can be learnt.

    Raises
    ------
    DataError
        If the file is missing or damaged, or holds arrays of other shapes.

    References
    ----------
    Choudhary K, Gupta D, Thomas PS (2024) arXiv:2406.05646; actions: Komorowski M et al. (2018),
    doi:10.1038/s41591-018-0213-5.

    Examples
    --------
    >>> sepsis = load_sepsis()
    >>> sepsis.clinicians.shape, int(sepsis.terminal.sum())
    ((716, 25), 3)
    """
    with np.load(locate("icu-sepsis", "dynamics.npz"), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files if name in _SHAPES}
    found = {name: array.shape for name, array in arrays.items()}
    if found != _SHAPES:
        raise DataError(f"dynamics.npz holds arrays of shapes {found}, expected {_SHAPES}")
    states = np.arange(len(arrays["d_0"]))
    return Sepsis(
        arrays["tx_mat"],
        (states == SURVIVAL).astype(float),
        arrays["d_0"],
        np.isin(states, [DEATH, SURVIVAL, AFTER]),
        arrays["expert_policy"],
        arrays["sofa_scores"],
    )


def fluid_level(action: np.ndarray) -> np.ndarray:
    """Return the level of intravenous fluids, 0 (none) to 4, of actions 0 to 24."""
    return np.asarray(action) // LEVELS


def vasopressor_level(action: np.ndarray) -> np.ndarray:
    """Return the level of vasopressors, 0 (none) to 4, of actions 0 to 24.

    Examples
    --------
    >>> int(fluid_level(13)), int(vasopressor_level(13))
    (2, 3)
    """
    return np.asarray(action) % LEVELS
