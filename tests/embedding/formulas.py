"""Score functions written out in NumPy for one triple, and those of the package that take one space."""

import numpy as np

from skotkge._embedding.score_functions import SCORE_FUNCTIONS, DotProduct
from skotkge._spaces import concat_order

MARGIN = 2.0


def as_complex(rows):
    real, imaginary = np.split(rows, 2, axis=-1)
    return real + 1j * imaginary


def across(h, r, t, with_sum, n_spaces=2):
    """Translation terms of the structure and the sum of the modalities, joined as a concatenation joins them."""
    place = np.argsort(concat_order(6 // n_spaces, n_spaces))
    (h_structure, *h_others), (t_structure, *t_others) = (np.split(rows[place], n_spaces) for rows in (h, t))
    heads, tails = [h_structure, sum(h_others)], [t_structure, sum(t_others)]
    terms = [np.linalg.norm(head + r - tail) for head in heads for tail in tails]
    if with_sum:
        terms.append(np.linalg.norm(sum(heads) + r - sum(tails)))
    return -sum(terms)


FORMULAS = {
    "across two spaces": lambda h, r, t: across(h, r, t, False),
    "mean across two spaces": lambda h, r, t: across(h, r, t, False) / 4,
    "across two spaces and their sum": lambda h, r, t: across(h, r, t, True),
    "across three spaces and their sum": lambda h, r, t: across(h, r, t, True, 3),
    "manhattan": lambda h, r, t: -np.abs(h + r - t).sum(),
    "transe": lambda h, r, t: MARGIN - np.linalg.norm(h + r - t),
    "distmult": lambda h, r, t: np.sum(h * r * t),
    "complex": lambda h, r, t: np.sum(as_complex(h) * as_complex(r) * as_complex(t).conj()).real,
    "rotate": lambda h, r, t: MARGIN - np.linalg.norm(as_complex(h) * np.exp(1j * r) - as_complex(t)),
}


OF_ONE_SPACE = {
    name: kind() if issubclass(kind, DotProduct) else kind(MARGIN) for name, kind in SCORE_FUNCTIONS.items()
}
