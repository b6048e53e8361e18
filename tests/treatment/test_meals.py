"""Meals are drawn as described, and a plan is checked."""

import numpy as np
import pytest

from medml.treatment.meals import draw_meals, plan_meals


def draw(days=400, weight=70.0, seed=0, **setting):
    """Draw the meals of one patient."""
    return draw_meals(days, weight, np.random.default_rng(seed), **setting)


def test_a_typical_day_has_three_meals_and_204_g_at_most():
    """0.95 · 195 g + 0.3 · 30 g are 194 g a day; dinner is eaten from 16 to 20 o'clock."""
    eaten, announced = draw()
    day = eaten.reshape(400, 288)
    assert (announced == eaten).all()
    assert day.sum(axis=1).mean() == pytest.approx(194.3, abs=5)
    assert (day > 0).sum(axis=1).mean() == pytest.approx(3 * 0.95 + 3 * 0.3, abs=0.15)
    assert day[:, : 5 * 12].sum() == 0
    dinners = day[:, 16 * 12 : 20 * 12 + 1].max(axis=1)
    assert dinners[dinners > 25].mean() == pytest.approx(80, abs=2)


def test_meals_grow_with_the_weight_only_if_scaled():
    """A child of 35 kg eats half, at the same times; unscaled, all of it."""
    whole, half = draw().eaten, draw(weight=35.0).eaten
    assert np.abs(half - whole / 2).max() <= 1
    assert (draw(weight=35.0, scaled=False).eaten == whole).all()


def test_a_counting_error_changes_what_is_announced_and_not_what_is_eaten():
    """Its standard deviation is that of the relative error; on average the count is right."""
    right, wrong = draw(), draw(counting_error=0.2)
    assert (right.eaten == wrong.eaten).all()
    error = wrong.announced[right.eaten > 0] / right.eaten[right.eaten > 0] - 1
    assert error.std() == pytest.approx(0.2, rel=0.1)
    assert error.mean() == pytest.approx(0, abs=0.02)
    assert (wrong.announced >= 0).all()


def test_a_plan_is_the_same_every_day():
    """Two meals on two days, at the nearest five minutes."""
    eaten, announced = plan_meals(2, [(7.02, 40), (23.99, 15)])
    assert np.flatnonzero(eaten).tolist() == [84, 287, 372, 575]
    assert (announced == eaten).all()


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ([(12, 60), (7, 40)], "meal at hour 7 cannot follow"),
        ([(7, 40), (7, 40)], "meal at hour 7 cannot follow"),
        ([(24, 40)], "meal at hour 24"),
        ([(-0.5, 40)], "meal at hour -0.5"),
        ([(np.nan, 40)], "meal at hour nan"),
        ([(7, -40)], "at hour 7 has -40 g"),
        ([(7, np.nan)], "at hour 7 has nan g"),
    ],
)
def test_a_plan_out_of_order_or_with_impossible_amounts_is_refused(plan, message):
    """The error names the meal."""
    with pytest.raises(ValueError, match=message):
        plan_meals(1, plan)
