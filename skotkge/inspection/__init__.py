"""What to look at before a figure is believed: leaked triples, the bounds of Theorem 1, and displays."""

from ._bounds import FusionBounds, fusion_bounds, lipschitz_constants
from ._contradictions import contradictions
from ._displays import RanksDisplay, TrainingDisplay, TransportPlanDisplay
from ._entity_displays import EmbeddingMapDisplay, EntityPlanDisplay
from ._leakage import LeakageEvaluation, LeakageReport, evaluate_by_leakage, leakage_report
from ._model_displays import ContributionsDisplay, EvidenceWeightsDisplay
from ._quality_displays import CalibrationDisplay, RelationRanksDisplay

__all__ = [
    "CalibrationDisplay",
    "ContributionsDisplay",
    "EmbeddingMapDisplay",
    "EntityPlanDisplay",
    "EvidenceWeightsDisplay",
    "FusionBounds",
    "LeakageEvaluation",
    "LeakageReport",
    "RanksDisplay",
    "RelationRanksDisplay",
    "TrainingDisplay",
    "TransportPlanDisplay",
    "contradictions",
    "evaluate_by_leakage",
    "fusion_bounds",
    "leakage_report",
    "lipschitz_constants",
]
