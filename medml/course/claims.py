"""Claims: numbers that a notebook states, checked each time it runs.

A claim prints one line, such as ``claim support2-deaths holds: 25 to 27 % [measured 25.92]``.
The words outside the brackets never change, so a test can compare them to the letter; what
stands inside the brackets may move within the band, and the claim fails when it leaves it.
"""

import math
import re
from dataclasses import dataclass
from numbers import Integral, Real

GLUE = "application/papermill.record/"
NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
BAND = rf"(?:exactly|≥|≤) {NUMBER}|{NUMBER} (?:±|to) {NUMBER}"
MEASURED = re.compile(
    rf"(?P<band>{BAND})(?: (?P<unit>[^\[\]\n]*?))? ?\[measured (?P<value>{NUMBER})[^\]]*\]"
)
CLAIM = re.compile(rf"^claim (?P<id>[a-z0-9-]+) holds: {MEASURED.pattern}$", re.MULTILINE)

_seen: dict[str, str] = {}


@dataclass(frozen=True)
class Band:
    """The values that a claim allows, from ``low`` to ``high``, and their printed ``text``."""

    low: float
    high: float
    text: str

    @classmethod
    def parse(cls, text):
        """Read a band from its printed text.

        >>> Band.parse("0.8 to 0.9")
        Band(low=0.8, high=0.9, text='0.8 to 0.9')
        """
        if not re.fullmatch(BAND, text):
            raise ValueError(f"not a band: {text!r}; expected such as '0.8 to 0.9' or '≥ 5'")
        first, *rest = (float(number) for number in re.findall(rf"(?<!\d){NUMBER}", text))
        if text.startswith("exactly"):
            return cls(first, first, text)
        if text.startswith("≥"):
            return cls(first, math.inf, text)
        if text.startswith("≤"):
            return cls(-math.inf, first, text)
        if "±" in text:
            return cls(first - rest[0], first + rest[0], text)
        return cls(first, rest[0], text)

    @classmethod
    def of(cls, expected=None, *, tol=None, between=None, at_least=None, at_most=None):
        """Make a band from exactly one kind of bound (see `claim`)."""
        given = [bound for bound in (expected, between, at_least, at_most) if bound is not None]
        if len(given) != 1 or (tol is not None and expected is None):
            raise ValueError(
                "give one bound: an expected value (with tol=), between=, at_least= or at_most="
            )
        if between is not None:
            return cls.parse(f"{_digits(between[0])} to {_digits(between[1])}")
        if at_least is not None:
            return cls.parse(f"≥ {_digits(at_least)}")
        if at_most is not None:
            return cls.parse(f"≤ {_digits(at_most)}")
        if tol is not None:
            return cls.parse(f"{_digits(expected)} ± {_digits(tol)}")
        return cls.parse(f"exactly {_digits(expected)}")

    def __contains__(self, value):
        return self.low <= value <= self.high


def measured(value, expected=None, *, interval=None, unit="", **bound):
    """Text of a measured number with its band, for a cell of a table.

    Parameters
    ----------
    value : float or int
        The measured number. Integers are kept whole, floats are rounded to four significant
        digits before they are compared, so that what is printed is what was checked.
    expected, tol, between, at_least, at_most
        The band, as in `claim`.
    interval : (float, float), optional
        95 % interval of the measured number, printed inside the brackets.
    unit : str
        Unit, printed after the band.

    Raises
    ------
    AssertionError
        If the value lies outside its band.

    Examples
    --------
    >>> measured(0.81234, between=(0.8, 0.83))
    '0.8 to 0.83 [measured 0.8123]'
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"expected a number, got {type(value).__name__}: {value!r}")
    band = Band.of(expected, **bound)
    shown = _digits(value, 4)
    unit = f" {unit}" if unit else ""
    if math.isnan(value) or float(shown) not in band:
        raise AssertionError(f"expected {band.text}{unit}, measured {shown}{unit}")
    if interval is not None:
        low, high = (_digits(end, 4) for end in interval)
        shown += f", 95 % interval {low} to {high}"
    return f"{band.text}{unit} [measured {shown}]"


def claim(claim_id, value, expected=None, *, interval=None, unit="", **bound):
    """Assert that a measured number lies in its band, and print one line that says so.

    Parameters
    ----------
    claim_id : str
        Lower-case words joined by hyphens, unique in the book; `book/coverage.yml` and the
        pages refer to it.
    value : float or int
        The measured number.
    expected : float or int, optional
        Expected value: exact, or with ``tol=`` the half width of the band.
    between : (float, float), at_least : float, at_most : float
        Other kinds of band; give exactly one kind.
    interval : (float, float), optional
        95 % interval of the measured number.
    unit : str
        Unit of value and band, for example ``"mg/dL"`` or ``"%"``.

    Raises
    ------
    AssertionError
        If the value lies outside its band.
    ValueError
        If the id is not well formed or the band is not given in exactly one way.

    Examples
    --------
    >>> claim("answer", 42, 42)
    claim answer holds: exactly 42 [measured 42]
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", claim_id):
        raise ValueError(f"claim id {claim_id!r}: use lower-case words joined by hyphens")
    try:
        text = measured(value, expected, interval=interval, unit=unit, **bound)
    except AssertionError as error:
        raise AssertionError(f"claim {claim_id} does not hold: {error}") from None
    print(f"claim {claim_id} holds: {text}")
    band = text.partition(" [measured")[0]
    _seen[claim_id] = band
    _glue(claim_id, band)


def summarise(objectives):
    """Print which claims of this notebook answer each of its objectives.

    Parameters
    ----------
    objectives : dict of str to list of str
        Each objective of the header card with the ids of the claims that show it.

    Raises
    ------
    ValueError
        If an id has not been claimed in this session, or a claim is listed nowhere.
    """
    listed = {claim_id for ids in objectives.values() for claim_id in ids}
    if missing := sorted(listed - _seen.keys()):
        raise ValueError(f"not claimed in this session: {missing}; run the cells above first")
    if unlisted := sorted(_seen.keys() - listed):
        raise ValueError(f"claims that no objective lists: {unlisted}")
    for objective, ids in objectives.items():
        print(objective)
        for claim_id in ids:
            print(f"  - {claim_id}: {_seen[claim_id]}")


def _digits(value, significant=6):
    return str(int(value)) if isinstance(value, Integral) else f"{value:.{significant}g}"


def _glue(name, text):
    """Store the band for the pages of the book, as myst_nb.glue would (without importing it)."""
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is not None:
        metadata = {"scrapbook": {"name": name, "mime_prefix": GLUE}}
        display({f"{GLUE}text/plain": repr(text)}, raw=True, metadata=metadata)
