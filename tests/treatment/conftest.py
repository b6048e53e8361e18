"""A chart of one patient, to be changed as a test needs it."""

import numpy as np
import pytest

from medml.treatment.chart import Chart, Rules
from medml.treatment.decision_process import Process


@pytest.fixture
def chart():
    """Return a chart: 1 U/h, CR 10 g/U, CF 40 (mg/dL)/U, TDI 50 U; 140 mg/dL, steady, noon."""

    def make(**fields):
        one = np.ones(1)
        rules = Rules(one, 10 * one, 40 * one, 50 * one, 70 * one, 40 * one)
        cgm = fields.get("cgm", 140.0)
        usual = {"minute": 720, "cgm": cgm, "cgm_15": cgm, "cgm_60": cgm, "meal": 0.0}
        usual |= {"iob": 0.0, "slow_iob": 0.0, "cob": 0.0} | fields
        return Chart(rules, **{name: np.atleast_1d(value) for name, value in usual.items()})

    return make


@pytest.fixture
def process():
    """Return a process of two decisions: 0 waits or treats, 1 again; 2 is death, 3 survival.

    In state 0: wait leads to 1 or to survival, half and half; treat to survival with 0.4. In state
    1 survival has probability 0.2 after waiting and 0.8 after treatment.
    """
    transitions = np.zeros((4, 2, 4))
    transitions[0, 0] = [0, 0.5, 0, 0.5]
    transitions[0, 1] = [0, 0, 0.6, 0.4]
    transitions[1, 0] = [0, 0, 0.8, 0.2]
    transitions[1, 1] = [0, 0, 0.2, 0.8]
    ends = np.array([False, False, True, True])
    transitions[2, :, 2] = transitions[3, :, 3] = 1
    return Process(transitions, np.array([0.0, 0, 0, 1]), np.array([1.0, 0, 0, 0]), ends)


@pytest.fixture
def even():
    """Return the policy that waits and treats equally often."""
    return np.full((4, 2), 0.5)
