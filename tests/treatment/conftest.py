"""A chart of one patient, to be changed as a test needs it."""

import numpy as np
import pytest

from medml.treatment.chart import Chart, Rules


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
