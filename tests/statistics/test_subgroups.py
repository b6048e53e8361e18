"""Groups of patients: each as if it were alone, and gaps on the same draws."""

import numpy as np
import pandas as pd
import pytest

from medml.statistics import (
    bootstrap_interval,
    group_gaps,
    group_table,
    measure_table,
    positive_predictive_value,
    sensitivity,
)

MEASURES = ["prevalence", "selection rate", "sensitivity", "specificity", "PPV", "AUROC"]
MEASURES += ["calibration in the large", "ECE"]


def simulated(rows=240, seed=0):
    """Return labels, probabilities, groups and patients (two rows each); b is ill more often."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(generator.choice(["a", "b"], size=rows // 2), 2)
    labels = generator.random(rows) < np.where(groups == "b", 0.6, 0.3)
    probabilities = np.clip(0.3 + 0.3 * labels + generator.normal(0, 0.2, size=rows), 0, 1)
    return labels, probabilities, groups, np.arange(rows) // 2


def test_each_group_is_judged_as_if_it_were_alone():
    """What measure_table says of its rows, and counts of rows and patients."""
    labels, probabilities, groups, patients = simulated()
    table = group_table(labels, probabilities, groups, 0.4, patients=patients, resamples=100)
    assert table.index.names == ["group", "measure"]
    assert table.index.get_level_values("measure").tolist() == MEASURES * 2
    for group in "ab":
        rows = groups == group
        options = {"patients": patients[rows], "resamples": 100}
        alone = measure_table(labels[rows], probabilities[rows], 0.4, **options)
        shared = ["sensitivity", "specificity", "PPV", "AUROC", "ECE"]
        columns = ["estimate", "low", "high"]
        pd.testing.assert_frame_equal(table.loc[group].loc[shared, columns], alone.loc[shared])
        found = table.loc[group]
        assert (found.rows == rows.sum()).all() and (found.patients == rows.sum() / 2).all()
        flagged = probabilities[rows] >= 0.4
        by_hand = [labels[rows].mean(), flagged.mean(), (labels - probabilities)[rows].mean()]
        names = ["prevalence", "selection rate", "calibration in the large"]
        assert found.estimate[names].tolist() == pytest.approx(by_hand)
        for name, column in zip(names, (labels[rows], flagged), strict=False):
            interval = bootstrap_interval(np.mean, column, **options)
            assert found.loc[name, columns].tolist() == pytest.approx(interval)


def test_four_women_and_four_men_counted_by_hand():
    """Of two ill women one is found, of two ill men two; nobody healthy is flagged but one man."""
    labels = [1, 1, 0, 0, 1, 1, 0, 0]
    probabilities = [0.9, 0.2, 0.1, 0.4, 0.6, 0.7, 0.8, 0.3]
    table = group_table(labels, probabilities, ["f"] * 4 + ["m"] * 4).estimate.unstack()
    assert table["selection rate"].tolist() == [1 / 4, 3 / 4]
    assert table["sensitivity"].tolist() == [1 / 2, 1]
    assert table["specificity"].tolist() == [1, 1 / 2]
    assert table["PPV"].tolist() == pytest.approx([1, 2 / 3])
    assert table["AUROC"].tolist() == [3 / 4, 1 / 2]
    assert table["calibration in the large"].tolist() == pytest.approx([0.1, -0.1])


def test_a_gap_is_the_difference_on_the_same_draw_of_patients():
    """By a plain loop over whole patients, and it changes its sign with the reference."""
    labels, probabilities, groups, patients = simulated()
    options = {"patients": patients, "resamples": 60}
    gaps = group_gaps(labels, probabilities, groups, "a", 0.4, **options)
    assert gaps.index.get_level_values("group").unique().tolist() == ["b"]
    for name, rate in (("sensitivity", sensitivity), ("PPV", positive_predictive_value)):

        def gap(labels, decisions, groups, rate=rate):
            return rate(labels[groups == "b"], decisions[groups == "b"]) - rate(
                labels[groups == "a"], decisions[groups == "a"]
            )

        by_hand = bootstrap_interval(gap, labels, probabilities >= 0.4, groups, **options)
        assert gaps.loc["b", name].tolist() == pytest.approx(by_hand)
    back = group_gaps(labels, probabilities, groups, "b", 0.4, **options).loc["a"]
    there = gaps.loc["b"]
    np.testing.assert_allclose(back, -there[["estimate", "high", "low"]])


def test_the_interval_of_a_gap_covers_no_gap():
    """Groups dealt by chance: 95 % of the intervals hold 0, for each measure."""
    inside = []
    for seed in range(80):
        labels, probabilities, groups, _ = simulated(160, seed)
        dealt = np.random.default_rng(seed).permutation(groups)
        gaps = group_gaps(labels, probabilities, dealt, "a", resamples=200, seed=seed)
        inside.append((gaps.low <= 0) & (gaps.high >= 0))
    covered = pd.concat(inside, axis=1).mean(axis=1)["b"].drop("ECE")
    assert (covered > 0.86).all()
    assert 0.9 <= covered.mean() <= 0.98


def test_each_row_may_have_a_threshold_of_its_own():
    """As equal-opportunity thresholds do."""
    labels, probabilities, groups, _ = simulated()
    thresholds = pd.Series({"a": 0.3, "b": 0.6})
    table = group_table(
        labels, probabilities, groups, thresholds.loc[groups].to_numpy(), resamples=20
    )
    for group, threshold in thresholds.items():
        alone = probabilities[groups == group] >= threshold
        assert table.estimate[group, "selection rate"] == pytest.approx(alone.mean())


def test_a_row_at_its_threshold_is_flagged():
    """As every threshold of the package means it."""
    found = group_table([0, 1], [0.4, 0.5], ["a", "a"], 0.5, resamples=20).estimate["a"]
    assert found["sensitivity"] == found["specificity"] == 1


def test_a_group_of_three_patients_has_no_interval():
    """Its estimates stand, and the other group keeps its intervals; no gap is estimable."""
    labels, probabilities, groups, patients = simulated()
    groups = np.where(patients < 3, "few", groups)
    options = {"patients": patients, "resamples": 100}
    table = group_table(labels, probabilities, groups, **options)
    few = table.loc["few"]
    assert (few.patients == 3).all() and (few.rows == 6).all()
    assert few[["low", "high"]].isna().all(axis=None)
    assert few.estimate[["prevalence", "ECE"]].notna().all()
    assert table.loc["a"].notna().all(axis=None)
    gaps = group_gaps(labels, probabilities, groups, "a", **options)
    assert gaps.loc["few"][["low", "high"]].isna().all(axis=None)
    assert gaps.loc["b"].notna().all(axis=None)


def test_a_gap_to_nine_patients_is_not_estimable():
    """Though the resamples of both groups together would give an interval."""
    labels, probabilities, _, patients = simulated()
    options = {"patients": patients, "resamples": 100}
    for few, known in ((9, False), (10, True)):
        named = np.where(patients < few, "few", "others")
        for reference in ("few", "others"):
            gaps = group_gaps(labels, probabilities, named, reference, **options)
            assert np.isfinite(gaps.low.xs("prevalence", level="measure").item()) == known


def test_a_group_of_one_class_tells_what_it_can():
    """No positive: no sensitivity and no AUROC; the specificity has its interval."""
    labels, probabilities, groups, _ = simulated()
    labels = labels & (groups == "a")
    table = group_table(labels, probabilities, groups, 0.4, resamples=100)
    assert table.loc["b"].loc[["sensitivity", "AUROC"], "estimate"].isna().all()
    assert table.loc["b", "specificity"].notna().all()
    assert np.isnan(table.low["b", "prevalence"]) and table.estimate["b", "prevalence"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": [0, 2, 1]}, "got 2 in row 1"),
        ({"probabilities": [0.1, 0.2, 1.3]}, "got 1.3 in row 2"),
        ({"probabilities": [0.1, np.nan, 1]}, "got nan in row 1"),
        ({"groups": ["a", None, "b"]}, "no group in row 1: call it 'unknown'"),
        ({"groups": [1.0, 2.0, np.nan]}, "no group in row 2"),
        ({"groups": ["a", "b"]}, r"expected 3 groups, one for each row, got shape \(2,\)"),
        ({"threshold": [0.5, 0.5]}, "expected 3 thresholds"),
        ({"threshold": np.nan}, "thresholds must be finite, got nan in row 0"),
        ({"patients": [1, 2]}, r"expected 3 patients, one for each row, got shape \(2,\)"),
    ],
)
def test_bad_columns_are_named(change, message):
    """By the table and by the gaps."""
    good = {"labels": [0, 1, 1], "probabilities": [0.1, 0.2, 0.3], "groups": ["a", "b", "b"]}
    with pytest.raises(ValueError, match=message):
        group_table(**good | change)
    with pytest.raises(ValueError, match=message):
        group_gaps(**good | change, reference="a")


@pytest.mark.parametrize("groups", [["b", "b"], ["a", "a"]])
def test_a_gap_needs_the_reference_and_another_group(groups):
    """The message lists the groups."""
    with pytest.raises(ValueError, match=f"got 'a' of {groups[0]}"):
        group_gaps([0, 1], [0.1, 0.2], groups, "a")
