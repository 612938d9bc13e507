"""Tables as tensors on a device."""

import torch


def as_float(table, device):
    """Return a table as a float32 tensor on a device, without a copy where it is one."""
    if not isinstance(table, torch.Tensor):
        # PyTorch takes no memory that must not be written, such as that which joblib maps.
        table = torch.from_numpy(table) if table.flags.writeable else torch.tensor(table)
    return table.to(device=device, dtype=torch.float32)
