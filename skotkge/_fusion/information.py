"""Which modalities tell entities apart at all, once their columns are scaled, and tell what no other does."""

import numpy as np

from .._utils.memory import row_blocks
from .._utils.messages import tell
from .scaling import constant_columns, moments, scaled_blocks

# Share of the variance that all rows but the largest have, below which nothing of them is left in single precision.
SMALLEST_SHARE = 1e-6
# Fewer rows always leave nothing beside the largest.
FEWEST_ROWS = 3


def informative(matrices, observed, standardize):
    """Leave out the modalities of which scaling leaves nothing or that repeat another one, and warn with their names.

    A modality that is there twice would weigh twice as much, and have twice as many weights learned from the same
    held-out triples. That cost .010 of MRR on nations, and nothing beyond the spread of seeds on emoji.

    Parameters
    ----------
    matrices : dict of str to ndarray of shape (n_entities, d_k)
    observed : dict of str to ndarray of shape (n_entities,), dtype bool
    standardize : bool

    Returns
    -------
    dict of str to ndarray
        Of the matrices those that tell entities apart, each once, and those without any vector.

    Warns
    -----
    UserWarning
        For each modality that is left out.
    """
    kept = {}
    for name, matrix in matrices.items():
        fault = _fault(matrix, observed[name], standardize)
        if fault is not None:
            tell(f"the modality {name!r} tells no entities apart: {fault}. It counts as missing; correct or drop it.")
            continue
        first = next((other for other in kept if _repeats(matrix, observed[name], kept[other], observed[other])), None)
        if first is not None:
            tell(
                f"the modality {name!r} repeats {first!r}: all its vectors are the same. It counts as missing; drop "
                "it, or give the other one more weight."
            )
            continue
        kept[name] = matrix
    return kept


def _repeats(matrix, observed, other, observed_in_other):
    """Tell whether two modalities have the same vectors, at least one, but for the rounding of the coarser type."""
    if matrix.shape != other.shape or not observed.any() or (observed != observed_in_other).any():
        return False
    precision = max(np.finfo(of.dtype).eps if of.dtype.kind == "f" else 0.0 for of in (matrix, other))
    return all(
        np.allclose(matrix[rows][observed[rows]], other[rows][observed[rows]], rtol=precision, atol=0.0)
        for rows in row_blocks(matrix.shape)
    )


def _fault(matrix, observed, standardize):
    """What keeps the rows of a modality from telling entities apart, or None."""
    n_rows = np.count_nonzero(observed)
    if n_rows < 2:
        return None
    mean, variance = moments(matrix, observed)
    constant = constant_columns(mean, variance)
    if constant.all():
        return "all its vectors are equal, or differ by less than double precision resolves"
    # Columns that are constant stay out of the sums below, whatever their scale.
    scale = np.where(constant, 1.0, np.sqrt(variance)) if standardize else None
    if n_rows < FEWEST_ROWS:
        return None
    # Without row i the sum of squared deviations Q is Q - |z_i|^2 n / (n - 1), z_i being its deviation from the mean.
    total, largest, row = 0.0, 0.0, 0
    for positions, block in scaled_blocks(matrix, observed, mean, scale):
        squares = np.square(block[:, ~constant]).sum(axis=1)
        total += squares.sum()
        if squares.max() > largest:
            largest = squares.max()
            row = np.arange(len(matrix))[positions][squares.argmax()]
    if total - largest * n_rows / (n_rows - 1) <= SMALLEST_SHARE * total:
        return f"row {row} is so large that all others are equal beside it"
    return None
