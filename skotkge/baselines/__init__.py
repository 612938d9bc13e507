"""What a model has to be better than."""

from .._embedding.score_functions import CrossSpaceTransE
from ._margin_ranking import MarginRanking
from ._mmkrl_baseline import MMKRLBaseline
from ._rule_baseline import RuleBaseline
from ._score_functions import ManhattanTransE, MeanCrossSpaceTransE
from ._transae_baseline import TransAEBaseline
from ._translation_baseline import TranslationBaseline

__all__ = [
    "CrossSpaceTransE",
    "MMKRLBaseline",
    "ManhattanTransE",
    "MarginRanking",
    "MeanCrossSpaceTransE",
    "RuleBaseline",
    "TransAEBaseline",
    "TranslationBaseline",
]
