"""The insulin environment keeps the rules of stable-baselines3 2.9.2, too."""

import warnings

import pytest
from stable_baselines3.common.env_checker import check_env

from medml.treatment.environment import InsulinDosingEnv


@pytest.mark.parametrize("descriptors", [False, True])
def test_stable_baselines3_s_checker_has_nothing_to_say(descriptors):
    """No error and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(InsulinDosingEnv("child#001", descriptors=descriptors))
