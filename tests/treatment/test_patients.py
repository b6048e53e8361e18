"""Patients are chosen by name."""

import pytest

from medml.treatment.patients import choose_patients


def test_a_name_may_come_many_times_in_any_order():
    """Each time it is a row of its own."""
    table = choose_patients(["child#002", "adult#001", "child#002"])
    assert table.index.tolist() == ["child#002", "adult#001", "child#002"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["adult#001", "adult#011"], r"'adult#011'.*did you mean 'adult#01"),
        (["Grace"], "no virtual patient is called 'Grace'"),
        ([], "at least one name"),
        ("adult#001", r"put it into \[ \]"),
    ],
)
def test_a_name_that_is_not_there_is_named_with_the_closest(names, message):
    """So is a forgotten list, and an empty one."""
    with pytest.raises(ValueError, match=message):
        choose_patients(names)
