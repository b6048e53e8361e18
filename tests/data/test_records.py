"""SUPPORT2 arrives unchanged, and its table of columns describes it."""

import pandas as pd
import pytest

from medml.data.records import load_support2, support2_columns, textbook_features


@pytest.fixture(scope="module")
def records():
    """The records, read once."""
    return load_support2()


@pytest.fixture(scope="module")
def columns():
    """The description of the columns."""
    return support2_columns()


def test_support2_has_its_published_shape_and_outcome(records):
    """9,105 patients, 2,360 died in hospital (25.9 %), 6,201 in the whole follow-up."""
    assert records.shape == (9105, 48)
    assert records["hospdead"].sum() == 2360
    assert records["death"].sum() == 6201


def test_missing_values_stay_missing(records):
    """Counted in the file itself."""
    empty = records[["pafi", "alb", "bili", "bun", "glucose", "urine", "adlp", "age"]].isna().sum()
    assert empty.tolist() == [2325, 3372, 2601, 4352, 4500, 4862, 5641, 0]
    assert records.isna().to_numpy().mean() == pytest.approx(0.1078, abs=1e-4)
    # An early part of the study did not record these three: mostly the same patients lack all.
    assert records[["bun", "glucose", "urine"]].isna().all(axis=1).sum() == 4312


def test_categories_lose_no_level(records):
    """Every text of the file belongs to a level, and ordered levels stand in their order."""
    assert records["sfdm2"].isna().sum() == 1400
    assert records["income"].isna().sum() == 2982
    assert records["ca"].value_counts(sort=False).to_dict() == {
        "no": 5995,
        "yes": 1252,
        "metastatic": 1858,
    }
    assert records["sfdm2"].max() == "<2 mo. follow-up"
    assert records["dzgroup"].nunique() == 8


def test_the_table_describes_every_column(records, columns):
    """Same names, same order, a meaning for each and a unit for each number."""
    assert columns.index.tolist() == records.columns.tolist()
    assert columns["meaning"].notna().all()
    numeric = [name for name in records if pd.api.types.is_numeric_dtype(records[name])]
    unitless = columns.index[columns["unit"] == ""]
    assert set(numeric) & set(unitless) == {"sno"}
    moments = {"identifier", "entry", "day 3", "forecast", "after day 3", "outcome"}
    assert set(columns["when"]) == moments


def test_what_comes_after_day_3_is_marked_as_a_leak(columns):
    """Later columns leak; so do scores that were fitted to this study's own outcomes."""
    late = columns["when"].isin(["after day 3", "outcome"])
    assert columns.loc[late, "leaks"].all()
    assert set(columns.index[columns["leaks"] & ~late]) == {"sps", "surv2m", "surv6m"}


def test_the_limits_find_the_impossible_values(records, columns):
    """The counts of values outside the limits, column by column."""
    limited = columns.dropna(subset=["low", "high"], how="all")
    values = records[limited.index]
    outside = values.lt(limited["low"]) | values.gt(limited["high"])
    counts = outside.sum()
    assert counts[counts > 0].to_dict() == {
        "totmcst": 2,
        "meanbp": 59,
        "hrt": 90,
        "resp": 66,
        "pafi": 10,
        "alb": 3,
        "glucose": 6,
        "adlsc": 1,
    }


def test_a_zero_pulse_is_no_harmless_typing_error(records):
    """Of 103 patients with a vital sign of 0, 60 % died in hospital, against 26 % of all."""
    zero = (records[["meanbp", "hrt", "resp"]] == 0).any(axis=1)
    assert zero.sum() == 103
    assert records.loc[zero, "hospdead"].mean() == pytest.approx(0.602, abs=1e-3)


def test_textbook_features_of_a_patient_do_not_depend_on_the_others(records):
    """Scaled by constants, gaps filled and flagged, wild values cut."""
    features = textbook_features(records)
    assert features.shape == (9105, 26)
    assert features.notna().all(axis=None)
    assert features.abs().max(axis=None) == 4
    assert (features["one"] == 1).all()
    gap = records["alb"].isna()
    assert (features.loc[gap, "alb"] == 0).all()
    assert (features["alb missing"] == gap).all()
    assert features.loc[0, "age"] == pytest.approx((records.loc[0, "age"] - 60) / 15)
    pd.testing.assert_frame_equal(textbook_features(records.iloc[[7]]), features.iloc[[7]])


def test_textbook_features_are_known_by_day_3_and_leak_nothing(records, columns):
    """No column from the future and no outcome."""
    used = [name for name in textbook_features(records) if name in columns.index]
    assert len(used) > 15
    assert not columns.loc[used, "leaks"].any()
    assert columns.loc[used, "when"].isin(["entry", "day 3"]).all()
