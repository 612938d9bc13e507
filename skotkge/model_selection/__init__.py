"""Splits of triples: with every entity and relation of a test part in training, by time, and by unseen entities."""

from ._folds import TransductiveKFold
from ._inductive import inductive_train_test_split
from ._ray import register_with_ray
from ._split import transductive_train_test_split
from ._temporal import temporal_train_test_split

__all__ = [
    "TransductiveKFold",
    "inductive_train_test_split",
    "register_with_ray",
    "temporal_train_test_split",
    "transductive_train_test_split",
]
