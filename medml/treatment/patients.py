"""Which virtual patients are treated."""

import difflib
from collections.abc import Sequence

import pandas as pd

from medml.data.virtual_patients import load_virtual_patients


def choose_patients(names: Sequence[str]) -> pd.DataFrame:
    """Return rows of `load_virtual_patients()` by name.

    Parameters
    ----------
    names : sequence of str
        In any order; a name that comes many times gives as many rows.

    Returns
    -------
    DataFrame

    Raises
    ------
    ValueError
        If there is no patient of that name, or no name at all.

    Examples
    --------
    >>> choose_patients(["child#001", "adult#009", "child#001"]).age.tolist()
    [9.0, 68.0, 9.0]
    """
    if isinstance(names, str):
        raise ValueError(f"expected a list of names, got the text {names!r}: put it into [ ]")
    table = load_virtual_patients()
    for name in names:
        if name not in table.index:
            close = difflib.get_close_matches(str(name), table.index, n=1)
            guess = f"; did you mean {close[0]!r}?" if close else ""
            msg = (
                f"no virtual patient is called {name!r}: names run from adolescent#001 to child#010"
            )
            raise ValueError(msg + guess)
    if not len(names):
        raise ValueError("no patient chosen: give at least one name, such as adult#001")
    return table.loc[list(names)]


def patient_folds(count: int = 5) -> list[tuple[list[str], list[str]]]:
    """Split the 30 virtual patients into folds: of each, who is learnt from and who is held out.

    Patient n of adolescents, adults and children is held out in fold (n - 1) mod `count`, so that
    each fold holds out as many of each age, and each patient is held out once.

    Examples
    --------
    >>> train, held_out = patient_folds()[3]
    >>> len(train), held_out[:3]
    (24, ['adolescent#004', 'adolescent#009', 'adult#004'])
    """
    names = load_virtual_patients().index.tolist()
    fold = [(int(name[-3:]) - 1) % count for name in names]
    return [
        (
            [name for name, k in zip(names, fold, strict=True) if k != number],
            [name for name, k in zip(names, fold, strict=True) if k == number],
        )
        for number in range(count)
    ]
