"""Tables as tensors on a device."""

import numpy as np
import torch


def as_float(table, device):
    """Return a table as a float32 tensor on a device, without a copy where it is one."""
    table = table if isinstance(table, torch.Tensor) else torch.tensor(np.asarray(table))
    return table.to(device=device, dtype=torch.float32)
