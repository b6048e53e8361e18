"""The teaching machinery: claims, checks, the notebook runner and the book's own pages.

It imports no scientific package, so that the book can be published without them.
"""

from medml.course.claims import claim, measured, summarise
from medml.course.exercises import Exercise, Refused, call, check, number
from medml.course.experiment import stored_run
from medml.course.source import show_source

__all__ = [
    "Exercise",
    "Refused",
    "call",
    "check",
    "claim",
    "measured",
    "number",
    "show_source",
    "stored_run",
    "summarise",
]
