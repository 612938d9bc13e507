"""State of a training in parts: the rows of each process in a file of its own, read by any number of processes.

Rows are numbered among the processes in one random order, whatever their number, and each has consecutive numbers. So
the rows of a process are in few files, and those of a file for few processes.
"""

import secrets

import numpy as np

from .tables import RowBlocks

# Tables of an optimizer begin so.
OPTIMIZER = "optimizer "


def shard_names(name, n_shards):
    """Return names that no earlier shards have, and what tells that they belong together."""
    token = secrets.token_hex(4)
    return [f"{name}-{token}-{rank}-of-{n_shards}" for rank in range(n_shards)], token


def rows_between(store, shards, first, stop):
    """Read the rows of some numbers.

    Parameters
    ----------
    store : object
        With `read` and `path`.
    shards : dict
        ``"names"`` and ``"token"``, see `shard_names`, and ``"edges"`` of their numbers, see `block_edges`.
    first, stop : int

    Returns
    -------
    dict of str to ndarray of shape (stop - first, ...)

    Raises
    ------
    ValueError
        With the name of a file that is missing, damaged or of another checkpoint.
    """
    tables = {}
    for start, values in _shards_within(store, shards, first, stop):
        inside = slice(max(0, first - start), stop - start)
        for name, rows in values.items():
            if name not in tables:
                tables[name] = np.empty((stop - first, *rows.shape[1:]), rows.dtype)
            chosen = rows[inside]
            begin = max(0, start - first)
            tables[name][begin : begin + len(chosen)] = chosen
    return tables


def whole_tables(store, shards):
    """Read all rows, in the order of the entities; parameters and errors are those of `rows_between`."""
    tables = rows_between(store, shards, 0, shards["edges"][-1])
    order = RowBlocks(shards["edges"][-1], 1, shards["seed"]).rows[0].numpy()
    for name, rows in tables.items():
        tables[name] = np.empty_like(rows)
        tables[name][order] = rows
    return tables


def _shards_within(store, shards, first, stop):
    edges = shards["edges"]
    for number, name in enumerate(shards["names"]):
        if max(first, edges[number]) >= min(stop, edges[number + 1]):
            continue
        values = store.read(name)
        if values is None:
            raise ValueError(f"{store.path(name)} is missing, a part of the checkpoint: put it back, or start anew.")
        if values["token"] != shards["token"]:
            raise ValueError(f"{store.path(name)} is of another checkpoint: put the right file back, or start anew.")
        yield edges[number], values["rows"]


def with_tables(values, tables):
    """Return the plain state of a training without the rows of its tables, with them; see `plain_state`.

    Parameters
    ----------
    values : dict
        ``"trainer"`` and ``"so_far"``.
    tables : dict of str to ndarray
        ``"structure"``, ``"best"`` where it differs, and ``"optimizer ..."``.

    Returns
    -------
    dict
    """
    trainer, so_far = values["trainer"], values["so_far"]
    parameters = trainer["parameters"] | {"structure": tables["structure"]}
    best = tables.get("best", tables["structure"])
    weight = so_far["continuation"]["structure_weight"]
    entities = best if (weight == 1).all() else weight[:, None] * best
    return {
        "trainer": trainer | {"parameters": parameters, "optimizers": with_optimizer(trainer["optimizers"], tables)},
        "so_far": so_far | {"entities": entities, "parameters": so_far["parameters"] | {"structure": best}},
    }


def with_optimizer(states, tables):
    """Return the states of optimizers, that of the last one with its tables."""
    of_rows = {name.removeprefix(OPTIMIZER): rows for name, rows in tables.items() if name.startswith(OPTIMIZER)}
    if not of_rows:
        return states
    state = states[-1]["state"]
    return [*states[:-1], states[-1] | {"state": state | {0: state.get(0, {}) | of_rows}}]
