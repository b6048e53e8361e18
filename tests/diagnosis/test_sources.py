"""Every column of SUPPORT2 has its place, and none that leaks reaches a model."""

import numpy as np
import pandas as pd
import pytest

from medml.data.records import load_support2, support2_columns
from medml.diagnosis.sources import (
    LEAKS,
    LEFT_OUT,
    SOURCES,
    column_table,
    columns_of,
    day3_features,
    held_out,
    load_day3,
    refuse_leaks,
)
from medml.statistics import auroc


@pytest.fixture(scope="module")
def records():
    """The records, read once."""
    return load_support2()


def test_every_column_has_exactly_one_place():
    """48 columns: 23 in three sources, 14 that leak, 11 left out for another reason."""
    placed = [*columns_of(), *LEAKS, *LEFT_OUT]
    assert sorted(placed) == sorted(support2_columns().index)
    assert [len(columns_of()), len(LEAKS), len(LEFT_OUT)] == [23, 14, 11]


def test_what_the_data_chapter_marks_as_a_leak_is_a_leak_here():
    """The two tables of the course agree on what leaks."""
    columns = support2_columns()
    assert set(columns.index[columns["leaks"]]) == set(LEAKS)
    assert set(columns.loc[columns_of(), "when"]) == {"entry", "day 3"}


@pytest.mark.parametrize("name", LEAKS)
def test_a_leaking_column_is_refused_by_name(records, name):
    """The message names the column and the reason."""
    with pytest.raises(ValueError, match=f"column '{name}' leaks: {LEAKS[name][:20]}"):
        day3_features(records, ["age", name])


@pytest.mark.parametrize(
    ("name", "message"),
    [("aps", "'aps' is left out: it is a sum"), ("pulse", "unknown column 'pulse', expected some")],
)
def test_a_column_without_a_source_is_refused(name, message):
    """One that is left out, one that does not exist."""
    with pytest.raises(ValueError, match=message):
        refuse_leaks([name])


def test_an_unknown_source_is_refused():
    """The message names those that there are."""
    with pytest.raises(ValueError, match="unknown source 'images', expected some of clinical, ph"):
        load_day3(["clinical", "images"])


def test_no_feature_is_a_copy_of_a_leaking_column(records):
    """No column of the features equals one that leaks, whatever its name."""
    features = load_day3().features
    late = records[[name for name in LEAKS if name not in ("sfdm2", "dnr")]].to_numpy(float)
    for name in features:
        same = np.isclose(features[[name]].to_numpy(), late, equal_nan=True).all(axis=0)
        assert not same.any(), name


def test_outcomes_and_patients_belong_to_the_rows(records):
    """Labels, times and numbers come from the same row as the features."""
    day3 = load_day3()
    row = records.iloc[1]
    assert day3.patients[1] == day3.features.index[1] == 2
    assert day3.labels[1]
    assert day3.died[1]
    assert day3.days[1] == row["d.time"] == 4
    assert day3.features["age"].iloc[1] == row["age"]
    assert day3.features[["male", "ca", "dzgroup: Cirrhosis"]].iloc[1].tolist() == [0, 0, 1]
    assert day3.days.min() == 3


def test_the_loader_gives_each_patient_the_own_values_and_the_death_in_hospital(records):
    """Moved back: glucose, recorded in the second phase only, tells who has diabetes."""
    day3 = load_day3(["laboratory"])
    own = day3.features["glucose"].to_numpy()
    known = np.isfinite(own)
    assert auroc(records["diabetes"][known], own[known]) > 0.7
    assert day3.labels.sum() == 2360
    assert day3.died.sum() == 6201


def test_impossible_values_become_gaps_and_a_pulse_of_zero_stays(records):
    """Albumin 29 g/dL and sodium 0 cannot be; a heart rate of 0 may be an arrest."""
    features = day3_features(records, ["alb", "hrt", "meanbp", "pafi"])
    assert records["alb"].max() == 29
    assert features["alb"].max() <= 7
    assert (features["hrt"] == 0).sum() == (records["hrt"] == 0).sum() == 83
    assert day3_features(records.assign(sod=0.0), ["sod"])["sod"].isna().all()
    assert features["pafi"].max() <= 713
    assert features["pafi"].isna().sum() == records["pafi"].isna().sum() + 10


def test_the_table_tells_a_reason_for_each_column_left_out():
    """A reason where there is one, none for a column that is used."""
    table = column_table()
    used = table["place"].isin(list(SOURCES))
    assert table.shape == (48, 4)
    assert (table.loc[used, "reason"] == "").all()
    assert (table.loc[~used, "reason"] != "").all()


def test_rows_of_a_patient_stay_together_and_others_do_not_move_them():
    """The draw depends on the patient alone."""
    patients = np.arange(3000)
    out = held_out(patients)
    assert out.mean() == pytest.approx(0.3, abs=0.03)
    assert (held_out(np.repeat(patients, 2)) == np.repeat(out, 2)).all()
    assert (held_out(patients[::-1]) == out[::-1]).all()
    assert pd.Series(held_out(patients, 0.5))[out].all()


@pytest.mark.parametrize("share", [0, 1, 30])
def test_a_share_outside_0_to_1_is_refused(share):
    """30 was meant as a percentage."""
    with pytest.raises(ValueError, match="held out: expected between 0 and 1"):
        held_out([1, 2], share)
