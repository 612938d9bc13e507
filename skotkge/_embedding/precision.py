"""Precision of the largest matrix products of training."""

import torch

# Of the factors of the products; None is that of the tables.
PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16}
