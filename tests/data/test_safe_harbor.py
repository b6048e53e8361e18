"""Ages in every form that a file may hold, and tables declared column by column."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medml.data.safe_harbor import SAFE_HARBOR, age_in_years, safe_harbor, safe_harbor_age

RAW = pd.DataFrame(
    {
        "name": ["Ann", "Bo", "Cy", "Di"],
        "age": ["034Y", "090Y", "unknown", 89],
        "admitted": ["2024-03-05", "2024-03-06", "2024-03-07", None],
        "zip": ["02139", "10001", "03601", "99501"],
        "creatinine": [1.0, 2.0, np.nan, 4.0],
    }
)
DECLARED = {"name": "A", "age": "age", "admitted": "date", "zip": "zip", "creatinine": "keep"}


def test_the_rule_has_eighteen_identifiers():
    """A to R."""
    assert "".join(SAFE_HARBOR) == "ABCDEFGHIJKLMNOPQR"


@pytest.mark.parametrize(
    ("age", "years", "shown"),
    [
        ("034Y", 34, "34"),
        ("018M", 1.5, "1"),
        ("002W", 14 / 365.25, "0"),
        ("010D", 10 / 365.25, "0"),
        (" 7.5 ", 7.5, "7"),
        (89.99, 89.99, "89"),
        ("089Y", 89, "89"),
        ("090Y", 90, "90+"),
        (np.float64(101.8), 101.8, "90+"),
        (130, 130, "90+"),
    ],
)
def test_an_age_is_read_in_years_and_shown_up_to_89(age, years, shown):
    """Over 89 means 90 or older: one category."""
    assert age_in_years(age) == pytest.approx(years)
    assert safe_harbor_age(age) == shown


@pytest.mark.parametrize("age", ["", " ", "unknown", "UNKNOWN", None, math.nan, pd.NA])
def test_an_unknown_age_is_unknown(age):
    """A documented result, no error."""
    assert math.isnan(age_in_years(age))
    assert safe_harbor_age(age) == "unknown"


@pytest.mark.parametrize("age", ["90Y", "abc", "-3", 131, "999Y", math.inf, "1e9", [3]])
def test_what_is_no_age_is_named(age):
    """A typing error must not become a patient of its own."""
    with pytest.raises(ValueError, match="expected 0 to 130 years"):
        safe_harbor_age(age)


@given(st.floats(0, 130))
def test_no_age_over_89_is_ever_shown(age):
    """Whatever its decimals."""
    assert safe_harbor_age(age) == ("90+" if age >= 90 else str(math.floor(age)))


def test_a_table_keeps_only_what_the_rule_allows():
    """The year of a patient over 89, or of unknown age, goes: it could tell the age."""
    clean = safe_harbor(RAW, DECLARED, small_zip3={"036"})
    assert list(clean.columns) == ["age", "admitted", "zip", "creatinine"]
    assert clean["age"].tolist() == ["34", "90+", "unknown", "89"]
    assert clean["admitted"].tolist() == ["2024", "unknown", "unknown", "unknown"]
    assert clean["zip"].tolist() == ["021", "100", "000", "995"]
    pd.testing.assert_series_equal(clean["creatinine"], RAW["creatinine"])
    assert list(RAW.columns) == list(DECLARED), "the table that was passed in stays as it was"


@pytest.mark.parametrize("age", [[95.0, np.nan], pd.array([95, pd.NA], dtype="Int64")])
def test_an_unknown_age_in_a_column_of_numbers_is_unknown(age):
    """Also where the column marks a gap in pandas' own way."""
    clean = safe_harbor(pd.DataFrame({"age": age}), {"age": "age"})
    assert clean["age"].tolist() == ["90+", "unknown"]


@pytest.mark.parametrize("kind", [None, "hide", "S"])
def test_a_column_that_nobody_declared_stops_everything(kind):
    """A forgotten column is how names slip through."""
    with pytest.raises(ValueError, match=f"'zip' is declared {kind!r}"):
        safe_harbor(RAW, DECLARED | {"zip": kind})


def test_what_is_no_date_is_named_and_an_empty_table_too():
    """With what was expected."""
    with pytest.raises(ValueError, match=r"'soon': expected such as '2024-03-05'"):
        safe_harbor(pd.DataFrame({"admitted": ["soon"]}), {"admitted": "date"})
    with pytest.raises(ValueError, match="no rows; give at least one patient"):
        safe_harbor(RAW.iloc[:0], DECLARED)
