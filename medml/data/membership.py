"""Membership inference: was this patient among those that the model was trained on?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from medml.statistics import column_auroc


class Attack(NamedTuple):
    """How well an attack tells members from others.

    Attributes
    ----------
    auroc : float
        0.5 is a coin.
    advantage : float
        Largest difference between the share of members and the share of others that some
        threshold calls members.
    caught : float
        Share of members found at a threshold that wrongly accuses at most 1 % of the others.
    """

    auroc: float
    advantage: float
    caught: float


def loss_of_each(labels: ArrayLike, risks: ArrayLike) -> np.ndarray:
    """Return each patient's log loss, −ln of the probability given to what happened.

    Parameters
    ----------
    labels : array_like of shape (patients,)
        0 or 1.
    risks : array_like of shape (patients,)
        Predicted probability of 1; 0 and 1 are moved inwards by 1e-6.

    Examples
    --------
    >>> loss_of_each([1, 0], [0.5, 0.5]).round(3).tolist()
    [0.693, 0.693]
    """
    risks = np.clip(np.asarray(risks, dtype=float), 1e-6, 1 - 1e-6)
    return -np.log(np.where(np.asarray(labels) == 1, risks, 1 - risks))


def loss_attack(members: ArrayLike, others: ArrayLike) -> Attack:
    """Return how well a low loss gives away who was in the training set.

    The attacker knows the patient's record and outcome, asks the model for the risk, and calls a
    patient a member if the loss is low. Stronger attacks exist; that this one fails is no proof.

    Parameters
    ----------
    members, others : array_like
        Loss of each patient that was trained on, and of each that was not (`loss_of_each`).

    Raises
    ------
    ValueError
        If there are no members or no others.

    References
    ----------
    Yeom S et al. (2018), doi:10.1109/CSF.2018.00027. Shokri R et al. (2017),
    doi:10.1109/SP.2017.41. Judge by few false accusations: Carlini N et al. (2022),
    doi:10.1109/SP46214.2022.9833649.

    Examples
    --------
    >>> loss_attack(members=[0.1, 0.2], others=[0.3, 0.9])
    Attack(auroc=1.0, advantage=1.0, caught=1.0)
    """
    members, others = np.sort(np.asarray(members)), np.sort(np.asarray(others))
    scores = -np.concatenate([members, others])
    labels = np.repeat([1, 0], [members.size, others.size])
    auroc = float(column_auroc(scores[:, None], labels)[0])
    thresholds = np.unique(scores)
    hit = np.searchsorted(members, -thresholds, side="right") / members.size
    false = np.searchsorted(others, -thresholds, side="right") / others.size
    caught = hit[false <= 0.01].max(initial=0.0)
    return Attack(auroc, float((hit - false).max()), float(caught))


def largest_advantage(epsilon: float, delta: float = 0.0) -> float:
    """Return the advantage that no attack on an (ε, δ)-private model can exceed.

    (e^ε − 1 + 2δ) / (e^ε + 1).

    Raises
    ------
    ValueError
        If ε is not above 0.

    References
    ----------
    Kairouz P, Oh S, Viswanath P (2015), arXiv:1311.0776.

    Examples
    --------
    >>> round(largest_advantage(1.0), 3)
    0.462
    """
    if not epsilon > 0:
        raise ValueError(f"epsilon {epsilon}: expected a number above 0, such as 1")
    return float(min(1.0, np.tanh(epsilon / 2) + 2 * delta / (np.exp(epsilon) + 1)))
