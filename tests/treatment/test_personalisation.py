"""Personal shifts: the bounds of the search, the log, and what becomes of good and bad ones."""

import numpy as np
import pytest

from medml.treatment import personalisation
from medml.treatment.belief import MARGIN, estimated_noise
from medml.treatment.chart import Dose
from medml.treatment.controllers import stronger_clinic
from medml.treatment.course import treat
from medml.treatment.exploration import DAY
from medml.treatment.personalisation import SPAN, WARM_UP, Personalised


def play(personal, chart, glucose_of, days, rows=1):
    """Let days pass at a bedside whose readings all day are a function of the shift, in mg/dL."""
    one = np.ones(rows)
    shift = np.zeros((rows, 2))
    for minute in range(0, days * DAY + 1, 240):
        day = max(minute - 1, 0) // DAY
        cgm = np.broadcast_to(glucose_of(shift, day), (rows,)).astype(float)
        fields = {"minute": minute * one, "cgm": cgm, "cgm_15": cgm, "cgm_60": cgm}
        now = chart(**fields)
        dose = personal(now._replace(meal=one * 10))
        shift = np.column_stack([dose.basal - 1, dose.bolus - 1])
    return personal.log()


def flat(chart):
    """Give 1 U/h and 1 U, so that a shift can be read off the dose."""
    return Dose(np.ones_like(chart.cgm), np.ones_like(chart.cgm))


def test_a_shift_that_helps_is_found_and_kept(chart):
    """Readings of 250 mg/dL fall to 110 with 10 % more basal insulin."""
    log = play(
        Personalised(flat, days=20),
        chart,
        lambda shift, day: 250 - 1400 * shift[:, 0].clip(0, 0.1),
        25,
    )
    kept = log[log["day"] > 20]
    assert (kept["why"] == "kept").all()
    assert (kept["basal"] >= 0.09).all()
    assert kept["score"].mean() > log[log["day"] <= WARM_UP]["score"].mean() + 0.5


def test_a_useless_search_ends_without_a_shift(chart):
    """Every shift makes it worse."""

    def far(shift, day):
        return 110 + 300 * np.abs(shift).sum(axis=1)

    log = play(Personalised(flat, days=20), chart, far, 25)
    assert (log[log["day"] > 20]["why"] == "none kept").all()
    assert not log.loc[log["day"] > 20, ["basal", "bolus"]].any(axis=None)


def test_a_kept_shift_that_turns_bad_is_taken_back_for_good(chart):
    """What helped until day 22 harms from then on, then helps again."""

    def glucose(shift, day):
        good = 250 - 1400 * shift[:, 0].clip(0, 0.1)
        return good if day < 22 or day > 40 else np.where(shift[:, 0] > 0.01, 400, 250)

    log = play(Personalised(flat, days=20), chart, glucose, 45)
    back = log.loc[log["why"] == "taken back", "day"]
    assert 24 <= back.min() <= 28
    assert (log[log["day"] >= back.min()]["why"] == "taken back").all()
    assert not log.loc[log["day"] >= back.min(), "basal"].any()


def test_a_bad_day_is_followed_by_one_without_a_shift(chart):
    """Every shift leads to 45 mg/dL."""

    def harm(shift, day):
        return np.where(np.abs(shift).sum(axis=1) > 1e-9, 45.0, 110.0)

    log = play(Personalised(flat, days=30), chart, harm, 29)
    tried = log[(log["why"] == "trial") & (log[["basal", "bolus"]].abs().sum(axis=1) > 0)]
    assert len(tried) > 0
    after = log[log["day"].isin(tried["day"] + 1)]
    assert set(after["why"]) == {"bad day"}
    assert not after[["basal", "bolus"]].any(axis=None)


def test_a_day_that_is_only_a_little_worse_is_not_bad(chart):
    """Every shift lifts 110 to 180 mg/dL: a loss of 0.15, within the margin and two deviations."""

    def lift(shift, day):
        return np.where(np.abs(shift).sum(axis=1) > 1e-9, 180.0, 110.0)

    log = play(Personalised(flat, days=30), chart, lift, 12)
    assert (log[log["day"] > WARM_UP]["why"] == "trial").all()


def test_a_bad_day_without_a_shift_does_not_stop_the_search(chart):
    """45 mg/dL on the first day of trial and on the day after it, which has no shift."""
    log = play(Personalised(flat, days=30), chart, lambda _, day: 45 if day in (5, 6) else 110, 9)
    assert log[log["day"].between(6, 8)]["why"].tolist() == ["trial", "bad day", "trial"]


@pytest.mark.parametrize(("gate", "end"), [(1.0, "none kept"), (0.0, "kept")])
def test_the_gate_keeps_no_gain_that_is_not_clear(chart, gate, end):
    """More basal insulin lowers 150 mg/dL by less than one: a gain of thousandths."""
    personal = Personalised(flat, days=20, gate=gate)
    log = play(personal, chart, lambda shift, day: 150 - 5 * shift[:, 0], 22)
    assert (log[log["day"] > 20]["why"] == end).all()


def test_without_a_margin_the_first_trial_is_a_corner(chart):
    """With one, it is not: a corner is too far from what is known."""
    first = {}
    for margin in (MARGIN, np.inf):
        log = play(Personalised(flat, days=9, margin=margin), chart, lambda *_: 110, 7)
        first[margin] = log.loc[log["day"] == WARM_UP + 1, ["basal", "bolus"]].abs().sum(axis=1)
    assert first[np.inf].item() == pytest.approx(2 * SPAN)
    assert 0 < first[MARGIN].item() < 1.8 * SPAN


def test_a_days_noise_is_that_of_the_days_without_a_shift(chart, monkeypatch):
    """Trials vary for other reasons."""
    seen = []

    def spy(scores):
        seen.append(scores.shape)
        return estimated_noise(scores)

    monkeypatch.setattr(personalisation, "estimated_noise", spy)
    play(Personalised(flat, days=9), chart, lambda *_: 110, 8)
    assert set(seen) == {(1, WARM_UP)}


def test_no_shift_leaves_the_trust_region_and_the_first_days_have_none(chart):
    """Whatever the readings say."""
    rng = np.random.default_rng(0)

    def wild(shift, day):
        return rng.uniform(50, 300, 3)

    log = play(Personalised(flat, days=15, margin=np.inf), chart, wild, 20, rows=3)
    shifts = log[["basal", "bolus"]]
    assert shifts.abs().max(axis=None) == pytest.approx(SPAN)
    assert not shifts[log["day"] <= WARM_UP].any(axis=None)
    assert (log[log["day"] <= WARM_UP]["why"] == "warm-up").all()
    assert log["row"].tolist() == [0, 1, 2] * 20


def test_a_row_does_not_depend_on_the_others():
    """Two patients treated together, and one alone."""
    names = ["adult#003", "child#004"]
    both = Personalised(stronger_clinic, days=6)
    treat(both, names, days=7)
    alone = Personalised(stronger_clinic, days=6)
    treat(alone, names[:1], days=7)
    log = both.log()
    first = log[log["row"] == 0].reset_index(drop=True)
    np.testing.assert_allclose(first["score"], alone.log()["score"])
    np.testing.assert_allclose(first["basal"], alone.log()["basal"])


def test_a_dead_sensor_gives_days_without_a_score(chart):
    """Nothing is tried, and no shift is kept that nothing speaks for."""
    log = play(Personalised(flat, days=8), chart, lambda shift, day: np.nan, 10)
    assert log["score"].isna().all()
    assert not log[["basal", "bolus"]].any(axis=None)
    assert (log[log["day"] > 8]["why"] == "none kept").all()


def test_a_day_without_a_score_is_followed_by_one_without_a_shift(chart):
    """The sensor is dead on the tenth day; the search goes on when it reads again."""

    def gap(shift, day):
        return np.where(day == 9, np.nan, 250 - 1400 * shift[:, 0].clip(0, 0.1))

    log = play(Personalised(flat, days=20), chart, gap, 15).set_index("day")
    assert log["score"].isna().tolist() == [day == 10 for day in log.index]
    assert log.loc[11, "why"] == "no score"
    assert not log.loc[11, ["basal", "bolus"]].any()
    assert log.loc[[10, 12], "why"].tolist() == ["trial", "trial"]


def test_patients_that_began_apart_are_refused(chart):
    """Their days could not be told apart."""
    with pytest.raises(ValueError, match="patients must begin together"):
        Personalised(flat)(chart(minute=[0, 5], cgm=[100.0, 100.0]))


@pytest.mark.parametrize("setting", [{"days": 5}, {"margin": -0.1}, {"gate": np.nan}])
def test_settings_out_of_range_are_refused(setting):
    """The message gives all three."""
    with pytest.raises(ValueError, match="expected more than 5 days, margin and gate"):
        Personalised(flat, **setting)


def test_a_trust_region_beyond_half_a_dose_is_refused():
    """Shifts of more than 50 % are no shifts."""
    with pytest.raises(ValueError, match="is outside ±"):
        Personalised(flat, span=0.7)
