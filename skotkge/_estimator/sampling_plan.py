"""Whether training over all entities would take too long, so that a sample stands for them."""

from dataclasses import replace

import numpy as np

from .._embedding.options import CrossEntropy
from .._utils.messages import tell

# What an hour is enough for, counted and not timed, so that results are the same everywhere: two cores of 2025 multiply
# 4.6e10 pairs of numbers a second (benchmarks/results/speed.txt, fbimg); a GPU counts as a hundred of them.
PRODUCTS_OF_AN_HOUR = {"cpu": 1.5e14, "cuda": 1.5e16}
# With fewer, answers rank lower, whatever the time.
FEWEST_SAMPLED = 1024


def affordable(options, ids, sizes):
    """Return the options of a fit, with as large a sample of the entities as takes an hour where all would take more.

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
    if not options.may_sample or n_entities <= FEWEST_SAMPLED:
        return options
    # An epoch scores each distinct query (h, r) or (t, r^-1) with all entities: a product forward, two backward.
    training = options.training
    n_products = 3 * n_entities * width * n_spaces * training.max_iter
    most = PRODUCTS_OF_AN_HOUR["cuda" if str(training.device).startswith("cuda") else "cpu"]
    if 2 * len(ids) * n_products <= most:
        return options
    relations, n_relations = ids[:, 1], ids[:, 1].max() + 1
    n_products *= sum(len(np.unique(ids[:, side] * n_relations + relations)) for side in (0, 2))
    if n_products <= most:
        return options
    hours = n_products / most
    n_sampled = max(FEWEST_SAMPLED, 2 ** int(np.log2(n_entities / hours)))
    tell(
        f"{training.max_iter} epochs over all {n_entities} entities may take {hours:.1f} hours, so "
        f"objective='cross_entropy' takes samples of {n_sampled} of them; give objective=CrossEntropy() for all, or "
        f"CrossEntropy(n_sampled={n_sampled}) to do the same without this warning."
    )
    return replace(options, training=replace(training, objective=CrossEntropy(n_sampled=n_sampled)), may_sample=False)
