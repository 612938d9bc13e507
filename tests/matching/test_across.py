"""Text in one graph and images in the other."""

import numpy as np
import pytest

from skotkge import EntityPairs, MultimodalTriples, OTEntityMatcher
from skotkge._matching.across import mapped_vectors
from skotkge._matching.propagation import unit_rows

N = 200


@pytest.fixture(scope="module")
def two():
    """Sparse triples, half of them in common; images that are a noisy linear function of the other graph's texts."""
    rng = np.random.RandomState(0)
    ids = np.unique(
        np.column_stack([rng.randint(N, size=500), rng.randint(3, size=500), rng.randint(N, size=500)]), axis=0
    )
    text = rng.standard_normal((N, 12))
    image = text @ rng.standard_normal((12, 20)) + rng.standard_normal((N, 20))
    graphs = []
    for side, modality in (("x", {"text": text}), ("y", {"image": image})):
        kept = ids[rng.rand(len(ids)) < 0.7]
        triples = [(f"{side}{h}", f"r{r}", f"{side}{t}") for h, r, t in kept]
        graphs.append(MultimodalTriples(triples, modality, entities=[f"{side}{number}" for number in range(N)]))
    return EntityPairs([(f"x{number}", f"y{number}") for number in rng.permutation(N)], *graphs)


def test_unlike_modalities_add_to_the_structure(two):
    known, test = two[:80], two[80:]
    options = {"n_rounds": 3, "random_state": 0}
    alone = OTEntityMatcher(views=["structure"], **options).fit(known)
    both = OTEntityMatcher(views=["structure", "across"], **options).fit(known)
    assert both.score(test) > alone.score(test) + 0.05
    assert sum(weight for name, weight in both.view_weights_.items() if name.startswith("across by map")) > 0


def test_few_pairs_make_no_map(two):
    matcher = OTEntityMatcher(views=["structure", "across"], n_rounds=2, random_state=0).fit(two[:30])
    assert "across" in matcher.view_weights_
    assert not any("map" in name for name in matcher.view_weights_)


def test_map_is_that_of_least_squares(rng):
    first, second = unit_rows(rng.standard_normal((300, 4))), unit_rows(rng.standard_normal((300, 6)))
    pairs, weights = np.column_stack([np.arange(90), rng.permutation(300)[:90]]), rng.rand(90)
    ours = [side.astype(np.float64) for side in mapped_vectors((first, second), pairs, weights)]
    inverse = []
    for side in (first, second):
        covariance = side.T @ side / len(side)
        inverse.append(np.linalg.inv(covariance + np.trace(covariance) / len(covariance) * np.eye(len(covariance))))
    common = np.einsum("n,ni,nj->ij", weights, first[pairs[:, 0]], second[pairs[:, 1]])
    form = first @ inverse[0] @ common @ inverse[1] @ second.T
    # Rows are scaled to length 1, which leaves the form but for one factor of each row and each column.
    cosines = ours[0] @ ours[1].T
    factors = form / cosines
    scaled = np.outer(factors[:, 0], factors[0]) / factors[0, 0] * cosines
    np.testing.assert_allclose(scaled, form, atol=1e-3 * np.abs(form).max())
