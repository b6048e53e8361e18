"""Statistics that every chapter shares: a number never stands without its interval."""

from medml.statistics.intervals import Interval, bootstrap_interval
from medml.statistics.ranking import column_auroc, matched_auroc, stratified_auroc

__all__ = [
    "Interval",
    "bootstrap_interval",
    "column_auroc",
    "matched_auroc",
    "stratified_auroc",
]
