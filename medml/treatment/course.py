"""The course of a treatment: what a controller does to patients over whole episodes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from medml.treatment.chart import Chart, Dose
from medml.treatment.ward import Ward


class Course(NamedTuple):
    """What happened to each patient, step by step.

    Attributes
    ----------
    names : numpy.ndarray of str, shape (episodes,)
    glucose, cgm : numpy.ndarray of shape (episodes, steps + 1)
        True glucose and readings in mg/dL; the first column is the start.
    insulin, eaten, rescue : numpy.ndarray of shape (episodes, steps)
        U delivered, g of meals, g against low glucose.
    """

    names: np.ndarray
    glucose: np.ndarray
    cgm: np.ndarray
    insulin: np.ndarray
    eaten: np.ndarray
    rescue: np.ndarray


def treat(
    controller: Callable[[Chart], Dose],
    names: Sequence[str],
    *,
    seed: int | Sequence[int] = 0,
    **setting,
) -> Course:
    """Treat patients with a controller for whole episodes.

    Parameters
    ----------
    controller : callable
        Takes a `Chart`, returns a `Dose`. It cannot see the true glucose.
    names : sequence of str
        Patients; a name may come many times.
    seed : int or sequence of int
        Episode i has the generator of seed + i, or of seed[i]. Two controllers with one seed meet
        the same meals and the same noise: their episodes are pairs. Two seeds that are closer than
        the number of episodes share some of them: to test on unseen meals, take seeds far apart.
    **setting
        Days, sensor, meals …, see `Ward`.

    Returns
    -------
    Course

    Examples
    --------
    >>> from medml.treatment.controllers import basal_bolus
    >>> course = treat(basal_bolus, ["adult#001"] * 2, days=1)
    >>> course.glucose.shape, course.insulin.shape
    ((2, 289), (2, 288))
    """
    ward = Ward(names, **setting)
    seeds = seed + np.arange(len(ward)) if np.isscalar(seed) else seed
    ward.reset([np.random.default_rng(number) for number in seeds])
    glucose, cgm = np.empty((2, ward.steps + 1, len(ward)))
    events = np.empty((3, ward.steps, len(ward)))
    chart = ward.chart()
    glucose[0], cgm[0] = ward.glucose, chart.cgm
    for step in range(ward.steps):
        events[:, step] = ward.step(controller(chart))
        chart = ward.chart()
        glucose[step + 1], cgm[step + 1] = ward.glucose, chart.cgm
    return Course(ward.simulator.names, glucose.T, cgm.T, *(event.T for event in events))
