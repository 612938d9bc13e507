"""What a model has to be better than."""

from .._embedding.score_functions import CrossSpaceTransE
from ._rule_baseline import RuleBaseline
from ._translation_baseline import TranslationBaseline

__all__ = ["CrossSpaceTransE", "RuleBaseline", "TranslationBaseline"]
