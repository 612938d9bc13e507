"""The state of a trainer in plain values and arrays, as files hold it, and back."""

import numpy as np
import torch


def plain_state(state, so_far):
    """Return the state of a trainer without tensors.

    Parameters
    ----------
    state : dict
        Of `Trainer.state_dict`.
    so_far : TrainedSpace
        The best epoch, whose parameters are not told twice.

    Returns
    -------
    dict
    """
    score, best_iter, parameters, stale = state["best"]
    best = (float(score), best_iter, parameters is not None, stale)
    return {"trainer": _arrays_of(state | {"best": best}), "so_far": dict(vars(so_far))}


def trainer_state(plain):
    """Return what `Trainer.load_state_dict` takes, from the values of `plain_state`."""
    state = _tensors_of(plain["trainer"])
    score, best_iter, has_best, stale = state["best"]
    return state | {"best": (score, best_iter, _tensors_of(plain["so_far"]["parameters"]) if has_best else None, stale)}


def _arrays_of(value):
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy()
    return _mapped(_arrays_of, value)


def _tensors_of(value):
    if isinstance(value, np.ndarray):
        return torch.tensor(value)
    return _mapped(_tensors_of, value)


def _mapped(function, value):
    """Apply a function to the members of containers; other values are as they are."""
    if isinstance(value, dict):
        return {key: function(member) for key, member in value.items()}
    return type(value)(map(function, value)) if isinstance(value, list | tuple) else value
