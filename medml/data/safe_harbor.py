"""Safe Harbor: the eighteen identifiers of HIPAA, in a table and in an age."""

import re
from collections.abc import Collection, Mapping

import pandas as pd

OLDEST = 90  # 45 CFR 164.514(b)(2)(i)(C): ages over 89 become one category, 90 or older

# 45 CFR 164.514(b)(2)(i), shortened.
SAFE_HARBOR = {
    "A": "names",
    "B": "places smaller than a state (first three digits of a large ZIP area may stay)",
    "C": "dates but the year; ages over 89",
    "D": "telephone numbers",
    "E": "fax numbers",
    "F": "e-mail addresses",
    "G": "social security numbers",
    "H": "medical record numbers",
    "I": "health plan numbers",
    "J": "account numbers",
    "K": "certificate and licence numbers",
    "L": "vehicle identifiers, licence plates",
    "M": "device identifiers and serial numbers",
    "N": "web addresses (URLs)",
    "O": "internet (IP) addresses",
    "P": "biometric identifiers such as fingerprints and voice",
    "Q": "full-face photographs and comparable images",
    "R": "any other unique number, characteristic or code",
}
_UNKNOWN = {"", "unknown", "nan", "none", "<na>"}
_PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12, "Y": 1}


def age_in_years(age) -> float:
    """Return an age in years from a number or from DICOM's form, such as "090Y" or "018M".

    Parameters
    ----------
    age : float or str
        Years, or three digits and D, W, M or Y (DICOM PS3.5, VR AS).

    Returns
    -------
    float
        Years; NaN for an age that is missing, empty or "unknown".

    Raises
    ------
    ValueError
        If the text is no age, or the age is below 0 or above 130 years.

    Examples
    --------
    >>> age_in_years("090Y"), age_in_years("018M"), age_in_years("unknown")
    (90.0, 1.5, nan)
    """
    text = str(age).strip()
    if text.lower() in _UNKNOWN:
        return float("nan")
    if match := re.fullmatch(r"(\d{3})([DWMY])", text):
        years = int(match[1]) / _PER_YEAR[match[2]]
    else:
        try:
            years = float(text)
        except ValueError:
            years = -1.0
    if not 0 <= years <= 130:
        msg = f"age {age!r}: expected 0 to 130 years, DICOM's '090Y' or '018M', or 'unknown'"
        raise ValueError(msg)
    return years


def safe_harbor_age(age) -> str:
    """Return an age as Safe Harbor allows it: whole years, "90+", or "unknown".

    Raises
    ------
    ValueError
        If it is no age (see `age_in_years`).

    References
    ----------
    45 CFR 164.514(b)(2)(i)(C).

    Examples
    --------
    >>> [safe_harbor_age(age) for age in (89.9, 90, "102Y", "unknown")]
    ['89', '90+', '90+', 'unknown']
    """
    years = age_in_years(age)
    if pd.isna(years):
        return "unknown"
    return f"{OLDEST}+" if years >= OLDEST else str(int(years))


def safe_harbor(
    table: pd.DataFrame, columns: Mapping[str, str], small_zip3: Collection[str] = ()
) -> pd.DataFrame:
    """Return a table without the 18 identifiers of Safe Harbor.

    Every column must be declared: a column that nobody thought of must not slip through.

    Parameters
    ----------
    table : pandas.DataFrame
        One row = one patient.
    columns : dict of str to str
        For each column, "keep" (no identifier), "age", "date" (year stays), "zip" (first three
        digits stay), or a letter of `SAFE_HARBOR` (the column goes). Of patients over 89, or
        whose age is not known, the years of dates go too: they could tell the age.
    small_zip3 : collection of str
        ZIP areas (three digits) with 20,000 people or fewer by the current census; they become
        "000".

    Returns
    -------
    pandas.DataFrame
        The columns that may stay, as text where they were changed.

    Raises
    ------
    ValueError
        If the table is empty, a column is not declared, or a value is no age or date.

    Notes
    -----
    The rule has a second half that no program can check: whoever releases the table must not
    know that what is left could still identify someone (164.514(b)(2)(ii)).

    References
    ----------
    45 CFR 164.514(b)(2).

    Examples
    --------
    >>> raw = pd.DataFrame({"name": ["Ann"], "age": ["093Y"], "admitted": ["2024-03-05"]})
    >>> safe_harbor(raw, {"name": "A", "age": "age", "admitted": "date"}).values.tolist()
    [['90+', 'unknown']]
    """
    if len(table) == 0:
        raise ValueError("the table has no rows; give at least one patient")
    kinds = {"keep", "age", "date", "zip", *SAFE_HARBOR}
    for name in table.columns:
        if columns.get(name) not in kinds:
            given = columns.get(name)
            raise ValueError(f"column {name!r} is declared {given!r}; expected {sorted(kinds)}")
    result = table[[name for name in table.columns if columns[name] not in SAFE_HARBOR]].copy()
    hide_year = pd.Series(False, index=table.index)
    for name in result.columns:
        if columns[name] == "age":
            result[name] = table[name].map(safe_harbor_age, na_action=None).astype(str)
            hide_year |= result[name].isin([f"{OLDEST}+", "unknown"])
    for name in result.columns:
        if columns[name] == "date":
            result[name] = table[name].map(_year).mask(hide_year, "unknown")
        elif columns[name] == "zip":
            area = table[name].astype(str).str.zfill(5).str[:3]
            result[name] = area.mask(area.isin(small_zip3), "000")
    return result


def _year(date) -> str:
    if str(date).strip().lower() in {*_UNKNOWN, "nat"}:
        return "unknown"
    try:
        return str(pd.to_datetime(date).year)
    except (ValueError, TypeError):
        raise ValueError(f"date {date!r}: expected such as '2024-03-05', or 'unknown'") from None
