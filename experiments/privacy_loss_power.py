"""How often does the test of a privacy promise refute it, rightly or wrongly?

A count with Laplace noise is drawn from two neighbouring tables. The promise is ε = 1. The test
refutes it when the lower 99 % bound of the loss of one event, fixed beforehand, is above ε. The
test is repeated 1,000 times for an honest mechanism and for two with too little noise, with
growing numbers of draws. An honest mechanism should be refuted in at most 1 % of the tests.

Run it with ``python experiments/privacy_loss_power.py``, about 1 CPU-minute.
"""

import numpy as np
from tqdm import tqdm

from medml.course import experiment
from medml.data.differential_privacy import laplace_mechanism
from medml.data.privacy_loss import empirical_privacy_loss

SEED = 20261127
TESTS = 1000
EPSILON = 1.0
COUNT = 100  # deaths in the first table; its neighbour has one more
DRAWS = (100, 1000, 10_000, 100_000)
NOISE = {"honest": 1.0, "9/10 of the noise": 0.9, "half the noise": 0.5}
KEPT = 5  # bounds stored one by one, for the test that recomputes them


def one_test(share, draws, number):
    """Return the lower bound of the loss of the event "at most the count of the first table"."""
    generator = np.random.default_rng([SEED, draws, int(100 * share), number])
    tables = (COUNT, COUNT + 1)
    # A mechanism with half the noise is an honest one for twice the ε.
    answers = [
        laplace_mechanism(np.full(draws, float(count)), 1, EPSILON / share, generator)
        for count in tables
    ]
    return empirical_privacy_loss(*(answer <= COUNT for answer in answers)).low


def main():
    """Run all tests and store how many refuted the promise."""
    rows = []
    for name, share in NOISE.items():
        for draws in DRAWS:
            bounds = [
                one_test(share, draws, number) for number in tqdm(range(TESTS), f"{name}, {draws}")
            ]
            rows.append(
                {
                    "mechanism": name,
                    "draws": draws,
                    "tests": TESTS,
                    "refuted": int(np.sum(np.array(bounds) > EPSILON)),
                    "median_bound": float(np.median(bounds)),
                    "first_bounds": bounds[:KEPT],
                }
            )
    experiment.store(__file__, rows, seed=SEED, packages=["numpy", "scipy"], inputs=[])


if __name__ == "__main__":
    main()
