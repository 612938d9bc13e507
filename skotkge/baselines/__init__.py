"""What a model has to be better than."""

from ._rule_baseline import RuleBaseline
from ._translation_baseline import TranslationBaseline

__all__ = ["RuleBaseline", "TranslationBaseline"]
