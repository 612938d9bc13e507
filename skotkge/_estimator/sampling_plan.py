"""Whether training over all entities would take too long, so that a sample stands for them."""

from dataclasses import replace

import numpy as np

from .._embedding.options import CrossEntropy
from .._utils.messages import tell

# What an hour is enough for, counted and not timed, so that results are the same everywhere: two cores of 2025 multiply
# 4.6e10 pairs of numbers a second, and a GPU some hundred times as many.
PRODUCTS_OF_AN_HOUR = {"cpu": 1.5e14, "cuda": 1.5e16}
N_SAMPLED = 1024


def affordable(options, ids, sizes):
    """Return the options of a fit, with a sample of the entities where all would take over an hour.

    Parameters
    ----------
    options : FitOptions
    ids : ndarray of shape (n_triples, 3)
    sizes : tuple of int
        Numbers of entities, of columns of a table, and of spaces to train.

    Returns
    -------
    FitOptions
    """
    n_entities, width, n_spaces = sizes
    if not options.may_sample or n_entities <= N_SAMPLED:
        return options
    # An epoch scores each distinct query (h, r) or (t, r^-1) with all entities: a product forward, two backward.
    training = options.training
    n_products = 3 * n_entities * width * n_spaces * training.max_iter
    most = PRODUCTS_OF_AN_HOUR["cuda" if str(training.device).startswith("cuda") else "cpu"]
    if 2 * len(ids) * n_products <= most:
        return options
    n_products *= sum(len(np.unique(ids[:, [side, 1]], axis=0)) for side in (0, 2))
    if n_products <= most:
        return options
    tell(
        f"{training.max_iter} epochs over all {n_entities} entities may take {n_products / most:.1f} hours, so "
        f"objective='cross_entropy' takes samples of {N_SAMPLED} of them; give objective=CrossEntropy() for all, or "
        f"CrossEntropy(n_sampled={N_SAMPLED}) to do the same without this warning."
    )
    return replace(options, training=replace(training, objective=CrossEntropy(n_sampled=N_SAMPLED)), may_sample=False)
