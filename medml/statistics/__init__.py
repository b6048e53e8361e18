"""Statistics that every chapter shares: a number never stands without its interval."""

from medml.statistics.calibration import (
    calibration_intercept,
    calibration_slope,
    expected_calibration_error,
    reliability_table,
)
from medml.statistics.decisions import (
    decision_curve,
    net_benefit,
)
from medml.statistics.fairness import (
    equal_opportunity_thresholds,
    implied_false_positive_rate,
)
from medml.statistics.intervals import (
    Interval,
    bootstrap_interval,
    cautious_interval,
    paired_difference,
)
from medml.statistics.measures import (
    brier_score,
    measure_table,
)
from medml.statistics.ranking import (
    auroc,
    average_precision,
    column_auroc,
    matched_auroc,
    stratified_auroc,
)
from medml.statistics.rates import (
    PredictiveValues,
    accuracy,
    mean,
    negative_predictive_value,
    positive_predictive_value,
    predictive_values,
    sensitivity,
    specificity,
)
from medml.statistics.recalibration import (
    at_temperature,
    fit_isotonic,
    fit_temperature,
)
from medml.statistics.selective import (
    confidence,
    risk_coverage_curve,
    selective_risk,
)
from medml.statistics.subgroups import (
    group_gaps,
    group_table,
)
from medml.statistics.thresholds import (
    threshold_for_sensitivity,
    threshold_from_costs,
    threshold_of_least_cost,
)

__all__ = [
    "Interval",
    "PredictiveValues",
    "accuracy",
    "at_temperature",
    "auroc",
    "average_precision",
    "bootstrap_interval",
    "brier_score",
    "calibration_intercept",
    "calibration_slope",
    "cautious_interval",
    "column_auroc",
    "confidence",
    "decision_curve",
    "equal_opportunity_thresholds",
    "expected_calibration_error",
    "fit_isotonic",
    "fit_temperature",
    "group_gaps",
    "group_table",
    "implied_false_positive_rate",
    "matched_auroc",
    "mean",
    "measure_table",
    "negative_predictive_value",
    "net_benefit",
    "paired_difference",
    "positive_predictive_value",
    "predictive_values",
    "reliability_table",
    "risk_coverage_curve",
    "selective_risk",
    "sensitivity",
    "specificity",
    "stratified_auroc",
    "threshold_for_sensitivity",
    "threshold_from_costs",
    "threshold_of_least_cost",
]
