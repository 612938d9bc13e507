"""Splits of triples for which every entity and relation of a test part occurs in its training part."""

from ._folds import TransductiveKFold
from ._ray import register_with_ray
from ._split import transductive_train_test_split

__all__ = ["TransductiveKFold", "register_with_ray", "transductive_train_test_split"]
