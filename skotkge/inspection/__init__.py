"""What to look at before a figure is believed: leaked test triples, the bounds of Theorem 1, and plots."""

from ._bounds import FusionBounds, fusion_bounds, lipschitz_constants
from ._displays import RanksDisplay, TrainingDisplay, TransportPlanDisplay
from ._leakage import LeakageEvaluation, LeakageReport, evaluate_by_leakage, leakage_report

__all__ = [
    "FusionBounds",
    "LeakageEvaluation",
    "LeakageReport",
    "RanksDisplay",
    "TrainingDisplay",
    "TransportPlanDisplay",
    "evaluate_by_leakage",
    "fusion_bounds",
    "leakage_report",
    "lipschitz_constants",
]
