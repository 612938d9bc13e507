"""What a model has to be better than."""

from ._rule_baseline import RuleBaseline

__all__ = ["RuleBaseline"]
