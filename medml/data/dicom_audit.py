"""What identifies a person in a DICOM file: a list to search by, and the search."""

import re
from collections.abc import Iterator
from importlib import resources

import pandas as pd
import pydicom
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue
from pydicom.uid import UID

from medml.data.safe_harbor import OLDEST, age_in_years

METHOD = "medml: kept what a picture needs, removed the rest"  # written by deidentification
CODE = re.compile(r"P[0-9a-f]{16}")  # the code that it puts in place of a patient's number
_BY_TYPE = {
    "PN": "A names",
    "DA": "C dates",
    "DT": "C dates",
    "TM": "C dates",
    "AS": "C dates",
    "AE": "M devices",
    "UI": "R other unique numbers",
    **dict.fromkeys(("LO", "SH", "LT", "ST", "UT", "UC", "UR", "UN"), "free text"),
    **dict.fromkeys(("OB", "OW", "OF", "OD", "OL", "OV"), "binary data"),
}
_OF_THE_FILE = {"PixelData", "FileMetaInformationVersion", "ImplementationClassUID"}


def identifying_tags() -> pd.DataFrame:
    """Return the tags that the audit asks for by name, each with its letter of Safe Harbor.

    Returns
    -------
    pandas.DataFrame
        Columns `keyword` and `why`; letters as in 45 CFR 164.514(b)(2)(i).
    """
    file = resources.files("medml.data").joinpath("dicom_identifiers.csv")
    with file.open(encoding="utf-8") as lines:
        return pd.read_csv(lines)


def audit(dataset: pydicom.Dataset) -> pd.DataFrame:
    """List every filled element of a DICOM file that identifies, or might identify, a person.

    Listed are the tags of `identifying_tags`; any name, date, time, device title and unique
    number, by its type; ages over 89; free text and binary data, which may hold anything; private
    elements, which only their maker can read; and the file's preamble. Sequences are searched to
    the bottom.

    Parameters
    ----------
    dataset : pydicom.Dataset
        A file as read; it is not changed.

    Returns
    -------
    pandas.DataFrame
        Columns `where` (path of keywords), `why` and `value` (shortened), in the file's order.

    Notes
    -----
    In a file marked Patient Identity Removed, a code or UID as `Deidentifier` draws it is taken
    for random. Dates that were shifted are listed: Safe Harbor does not allow them. The picture
    itself is not looked at.

    Examples
    --------
    >>> header = pydicom.Dataset()
    >>> header.PatientName, header.Modality = "Li^Ming", "CT"
    >>> audit(header)[["where", "why"]].values.tolist()
    [['PatientName', 'A names']]
    """
    listed = dict(identifying_tags().itertuples(index=False))
    marked = dataset.get("PatientIdentityRemoved") == "YES"
    rows = []
    if any(getattr(dataset, "preamble", None) or b""):
        rows.append(("preamble", "binary data", repr(dataset.preamble[:12])))
    for where, element in walk(dataset):
        if why := _why(element, listed, marked):
            value = f"{len(element.value)} items" if element.VR == "SQ" else str(element.value)
            rows.append((where, why, value[:30]))
    return pd.DataFrame(rows, columns=["where", "why", "value"])


def walk(dataset: pydicom.Dataset, path: str = "") -> Iterator[tuple[str, DataElement]]:
    """Yield (path, element) for each element, in the file's head and in nested sequences too."""
    if not path:
        yield from walk(getattr(dataset, "file_meta", None) or pydicom.Dataset(), "file:")
    for element in dataset:
        where = f"{path}{element.keyword or element.tag}"
        yield where, element
        if element.VR == "SQ":
            for number, item in enumerate(element.value or []):
                yield from walk(item, f"{where}[{number}].")


def _why(element: DataElement, listed: dict, marked: bool) -> str:
    """Return why an element identifies, or an empty text."""
    value, keyword = element.value, element.keyword
    if value is None or (not isinstance(value, (int, float)) and len(value) == 0):
        return ""
    if element.tag.is_private:
        return "private"
    if keyword in _OF_THE_FILE or (keyword == "ImplementationVersionName" and marked):
        return ""
    if element.VR == "UI":
        values = value if isinstance(value, MultiValue) else [value]
        harmless = all(_is_harmless(uid, marked) for uid in values)
    elif element.VR == "AS":
        harmless = _is_allowed(value, marked)
    else:
        coded = keyword == "PatientID" and CODE.fullmatch(str(value))
        harmless = marked and (coded or value == METHOD)
    return "" if harmless else listed.get(keyword) or _BY_TYPE.get(element.VR, "")


def _is_harmless(uid: str, marked: bool) -> bool:
    """Tell whether a UID is one of the standard's own, or random in a marked file."""
    return UID(uid).name != uid or (marked and uid.startswith("2.25."))


def _is_allowed(age: str, marked: bool) -> bool:
    """Tell whether an age may stand: up to 89, or in a marked file 090Y for "90 or older"."""
    try:
        years = age_in_years(age)
    except ValueError:
        return False
    return not years >= OLDEST or (marked and age == f"{OLDEST:03}Y")
