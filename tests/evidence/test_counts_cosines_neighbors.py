"""Counts, cosines and neighbours against a few lines that compute the same from the triples."""

import numpy as np
import pytest
import torch

from skotkge import EvidenceId, MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge._evidence import counts as counts_module
from skotkge._evidence.cosines import cosines
from skotkge._evidence.counts import count
from skotkge._evidence.likeness import LARGEST_WIDTH, Likeness, likeness_of
from skotkge._evidence.mixture import Mixture
from skotkge._evidence.neighbors import SCALE, SHARPNESS, Neighbors, neighbors
from skotkge._evidence.relation_maps import unit_rows
from skotkge._graph.queries import KnownAnswers, both_directions

N, R = 30, 3


@pytest.fixture
def vectors(rng):
    rows = [unit_rows(rng.standard_normal((N, width))).astype(np.float32) for width in (4, 6)]
    rows[0][3] = 0
    return [Likeness("text", rows[0]), Likeness("structure", rows[1])]


@pytest.fixture
def queries(small):
    sources, relations, answers = both_directions(small.ids[:40], R)
    return torch.tensor(sources), torch.tensor(relations), torch.tensor(answers)


def all_scores(kind, queries, weights=1.0):
    bound, total = kind.on("cpu"), torch.zeros(len(queries[0]), N)
    for entities in (slice(0, 11), slice(11, N)):
        bound.add_scores(entities, bound.queries(*queries[:2]), weights, total[:, entities])
    return total


def test_wide_vectors_of_few_entities_keep_their_cosines(small, rng):
    wide = rng.standard_normal((N, 200))
    X = OTFusionTransformer(4, random_state=0).fit_transform(
        MultimodalTriples(small, {"wide": wide}, entities=small.entities)
    )
    found = next(likeness for likeness in likeness_of(X) if likeness.part == "wide")
    rows = unit_rows(X.fusion.scaled_columns(X)["wide"])
    assert found.axes.shape == (200, N)
    np.testing.assert_allclose(found.rows @ found.rows.T, rows @ rows.T, atol=1e-5)


@pytest.mark.parametrize("position", range(4))
def test_counts_are_those_of_the_triples(small, queries, position):
    kind = count(small.ids, N, R)[position]
    triples = np.unique(small.ids, axis=0)

    def wanted(relation, answer):
        same = triples[triples[:, 1] == relation % R]
        answers, asks = (same[:, 2], same[:, 0])[:: 1 if relation < R else -1]
        n_answers, n_asks = np.sum(answers == answer), np.sum(asks == answer)
        degree = np.sum(triples[:, 0] == answer) + np.sum(triples[:, 2] == answer)
        return [np.log1p(n_answers), float(n_answers > 0), np.log1p(n_asks), np.log1p(degree)][position]

    expected = [[wanted(int(relation), answer) for answer in range(N)] for relation in queries[1]]
    np.testing.assert_allclose(all_scores(kind, queries), expected, rtol=1e-6)
    bound = kind.on("cpu")
    np.testing.assert_allclose(
        bound.pair_scores(bound.queries(*queries[:2]), queries[2]),
        np.array(expected)[np.arange(len(queries[2])), queries[2]],
        rtol=1e-6,
    )


def test_the_own_row_of_a_training_triple_does_not_count(small, rng):
    ids = np.unique(small.ids, axis=0)
    ids = ids[ids[:, 0] != ids[:, 2]]
    kinds, weights = count(ids, N, R), rng.standard_normal((4, 2 * R))
    mixture = Mixture([kind.on("cpu") for kind in kinds], weights, counted=KnownAnswers(ids, R))
    for row in (0, 17, len(ids) - 1):
        source, relation, answer = ids[[row]].T
        without = [kind.on("cpu") for kind in count(np.delete(ids, row, axis=0), N, R)]
        expected = Mixture(without, weights).pair_parts(source, relation, answer)
        np.testing.assert_allclose(mixture.pair_parts(source, relation, answer), expected, atol=1e-6)
        scores = mixture.scores(slice(0, N), source, relation)[0, answer]
        np.testing.assert_allclose(scores, expected.sum(0), atol=1e-5)


def test_tables_that_see_no_source_are_added_up_once_with_the_same_sum(small, queries, vectors, rng, monkeypatch):
    kinds = [*count(small.ids, N, R), *cosines(vectors)]
    weights = rng.standard_normal((len(kinds), 2 * R))
    arrays = [array.numpy() for array in queries[:2]]
    together = Mixture([kind.on("cpu") for kind in kinds], weights).scores(slice(5, 20), *arrays)
    monkeypatch.setattr(counts_module, "LARGEST_TABLE", 0)
    apart = Mixture([kind.on("cpu") for kind in kinds], weights).scores(slice(5, 20), *arrays)
    np.testing.assert_allclose(together, apart, atol=1e-5)


def test_cosines_are_products_of_unit_rows(queries, vectors):
    for kind, likeness in zip(cosines(vectors), vectors, strict=True):
        expected = likeness.rows[queries[0]] @ likeness.rows.T
        np.testing.assert_allclose(all_scores(kind, queries), expected, atol=1e-6)
    assert [str(kind.id) for kind in cosines(vectors)] == ["cosines of text", "cosines of structure"]


def test_neighbors_are_a_kernel_regression_without_the_source(small, queries, vectors):
    kind = neighbors(vectors, small.ids, R)
    rows = unit_rows(np.hstack([likeness.rows for likeness in vectors])).astype(float)
    sources, relations, answers = both_directions(np.unique(small.ids, axis=0), R)
    expected = np.zeros((len(queries[0]), N))
    for row, (source, relation) in enumerate(zip(*(array.tolist() for array in queries[:2]), strict=True)):
        pairs = (relations == relation) & (sources != source)
        kernel = np.exp(SHARPNESS * (rows[sources[pairs]] @ rows[source] - 1))
        np.add.at(expected[row], answers[pairs], kernel / kernel.sum())
    expected = np.log1p(SCALE * expected)
    np.testing.assert_allclose(all_scores(kind, queries), expected, rtol=1e-4, atol=1e-5)
    bound = kind.on("cpu")
    found = bound.pair_scores(bound.queries(*queries[:2]), queries[2])
    np.testing.assert_allclose(found, expected[np.arange(len(found)), queries[2]], rtol=1e-4, atol=1e-5)


def test_a_relation_without_pairs_has_no_neighbors(small, vectors):
    ids = small.ids[small.ids[:, 1] != 1]
    kind = neighbors(vectors, ids, R)
    assert not all_scores(kind, (torch.tensor([0, 1]), torch.tensor([1, 1 + R]), None)).any()


def test_the_nearest_neighbors_are_told(small, vectors):
    kind = neighbors(vectors, small.ids, R)
    head, relation, tail = small.ids[0]
    told = kind.facts(head, relation, tail)
    similarities = [value for _, value, _ in told]
    assert similarities == sorted(similarities, reverse=True)
    assert all(link[1:] == (relation, tail) and link[0] != head for _, _, (link,) in told)


@pytest.mark.parametrize("make", [lambda v, ids: cosines(v)[0], lambda v, ids: neighbors(v, ids, R)])
def test_plain_state_gives_the_same_evidence(small, queries, vectors, make):
    kind = make(vectors, small.ids)
    again = type(kind).from_state(kind.state())
    assert torch.equal(all_scores(kind, queries), all_scores(again, queries))


def test_wide_vectors_are_projected_and_unseen_ones_alike(small, rng):
    wide = {"wide": (rng.standard_normal((N, LARGEST_WIDTH + 9)), small.entities)}
    X = OTFusionTransformer(4, random_state=0).fit_transform(type(small)(small.labels, wide))
    text, structure = likeness_of(X)
    assert text.rows.shape == (N, N)  # so many axes the vectors of N entities have
    np.testing.assert_allclose(np.linalg.norm(text.rows, axis=1), 1, rtol=1e-5)

    class Unseen:
        columns = {"wide": X.fusion.scaled_columns(X)["wide"][:2]}

        def __len__(self):
            return 2

    np.testing.assert_allclose(text.extended(Unseen()).rows[-2:], text.rows[:2], atol=1e-5)
    assert not structure.extended(Unseen()).rows[-2:].any()


def test_without_a_fusion_the_trained_structure_is_what_is_alike(small):
    kge = OTKGEClassifier(embedding_dim=8, max_iter=2, random_state=0).fit(small.labels)
    assert kge.evidence_names_[-2:] == ["cosines of structure", "neighbors"]
    (kind,) = [kind for kind in kge.predictor_.evidence if isinstance(kind, Neighbors)]
    assert kind.id == EvidenceId("neighbors")
    table = kge.space_embeddings_["structure"]
    np.testing.assert_allclose(kind.rows, unit_rows(table - table.mean(axis=0)), atol=1e-5)
