"""Statistics that every chapter shares: a number never stands without its interval."""

from medml.statistics.intervals import (
    Interval,
    bootstrap_interval,
    cautious_interval,
    paired_difference,
)
from medml.statistics.ranking import (
    auroc,
    average_precision,
    column_auroc,
    matched_auroc,
    stratified_auroc,
)

__all__ = [
    "Interval",
    "auroc",
    "average_precision",
    "bootstrap_interval",
    "cautious_interval",
    "column_auroc",
    "matched_auroc",
    "paired_difference",
    "stratified_auroc",
]
