"""Table one and the rule of plausible values, on tables small enough to count by hand."""

import numpy as np
import pandas as pd
import pytest

from medml.data.quality import impossible_values, table_one

PATIENTS = pd.DataFrame(
    {
        "age": [50.0, 60.0, np.nan, 80.0],
        "diabetes": [0, 1, 1, np.nan],
        "stage": pd.Categorical(["I", "II", "II", "II"]),
        "died": [0, 0, 1, 1],
    }
)


def test_table_one_describes_each_group_and_all():
    """Median with quartiles, shares among the known, and what is missing."""
    table = table_one(PATIENTS, ["age", "diabetes", "stage"], "died")
    assert list(table.columns) == ["died = 0", "died = 1", "all"]
    assert table.loc["patients"].tolist() == ["2", "2", "4"]
    assert table.loc["age"].tolist() == ["55 [52.5, 57.5]", "80 [80, 80]", "60 [55, 70]"]
    assert table.loc["age: missing"].tolist() == ["0.0 %", "50.0 %", "25.0 %"]
    assert table.loc["diabetes: 1.0"].tolist() == ["50.0 %", "100.0 %", "66.7 %"]
    assert table.loc["stage: II"].tolist() == ["50.0 %", "100.0 %", "75.0 %"]


def test_a_column_that_is_not_there_is_named():
    """A typing error must not pass as an empty row."""
    with pytest.raises(KeyError, match="agee"):
        table_one(PATIENTS, ["agee"], "died")


def test_values_outside_either_limit_are_counted_and_gaps_are_not():
    """A limit that is not set excludes nothing."""
    limits = pd.DataFrame(
        {"low": [55.0, np.nan, np.nan], "high": [70.0, 0.0, np.nan]},
        index=["age", "diabetes", "died"],
    )
    assert impossible_values(PATIENTS, limits).to_dict() == {"age": 2, "diabetes": 2}
