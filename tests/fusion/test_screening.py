"""Modalities that say nothing about links."""

import warnings

import numpy as np
import pytest

from skotkge import CrossEntropy, MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge._evidence.likeness import likeness_of
from skotkge._fusion.screening import drawn_links, is_silent, strength
from skotkge.baselines import TranslationBaseline

SILENT = "the modality {!r} says nothing about links"


def noise_of(X, rng, share=1.0):
    noise = rng.standard_normal((X.n_entities, 16))
    noise[rng.permutation(X.n_entities)[round(share * X.n_entities) :]] = np.nan
    return noise


def with_modalities(X, modalities):
    return MultimodalTriples(X.labels, modalities, entities=X.entities, relations=X.relations)


def few_rows(matrix, rng, share=0.05):
    few = np.full(matrix.shape, np.nan)
    rows = rng.permutation(len(matrix))[: round(share * len(matrix))]
    few[rows] = matrix[rows]
    return few


@pytest.mark.parametrize("share", [1.0, 0.05])
def test_noise_counts_as_missing_and_what_tells_is_kept(emoji, rng, share):
    X = with_modalities(emoji.train, dict(emoji.train.modalities) | {"noise": noise_of(emoji.train, rng, share)})
    fuse = OTFusionTransformer(8, random_state=0)
    with pytest.warns(UserWarning, match=SILENT.format("noise")) as told:
        fuse.fit(X)
    assert len(told) == 1
    assert fuse.modality_names_ == ["text", "image"]
    np.testing.assert_array_equal(fuse.embedding_, OTFusionTransformer(8, random_state=0).fit(emoji.train).embedding_)
    assert OTFusionTransformer(8, screening=False, random_state=0).fit(X).modality_names_ == ["text", "image", "noise"]


def test_few_vectors_that_tell_are_kept(emoji, rng):
    few = {name: few_rows(np.asarray(matrix), rng) for name, matrix in emoji.train.modalities.items()}
    assert OTFusionTransformer(8, random_state=0).fit(with_modalities(emoji.train, few)).modality_names_ == [*few]


def test_rows_of_other_entities_are_told(emoji, rng):
    shuffled = rng.permutation(emoji.train.modalities["text"])
    with pytest.warns(UserWarning, match=f"{SILENT.format('text')}.* check that its rows belong to the entities"):
        OTFusionTransformer(8, random_state=0).fit(with_modalities(emoji.train, {"text": shuffled}))


def test_false_triples_do_not_speak_for_a_modality(emoji, rng):
    # Each entity has triples with entities that the modality has nearest, all of them false.
    noise = noise_of(emoji.train, rng)
    nearest = np.argsort(-noise @ noise.T, axis=1)[:, 1:6].ravel()
    heads = np.repeat(np.arange(emoji.train.n_entities), 5)
    relations = np.zeros(len(heads), dtype=int)
    names = emoji.train.entities
    false = np.column_stack([names[heads], emoji.train.relations[relations], names[nearest]])
    X = with_modalities(emoji.train, {"noise": noise}).with_triples(np.concatenate([emoji.train.labels, false]))
    y = np.repeat([1, 0], [len(emoji.train), len(false)])
    assert OTFusionTransformer(8, random_state=0).fit(X).modality_names_ == ["noise"]
    with pytest.warns(UserWarning, match=SILENT.format("noise")):
        OTFusionTransformer(8, random_state=0).fit(X, y)


def test_a_graph_of_few_entities_is_not_screened(small):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert OTFusionTransformer(8, random_state=0).fit(small).modality_names_ == ["text", "image"]


@pytest.mark.parametrize("evidence", ["all", "embeddings", ("fused", "cosines")])
def test_with_noise_alone_training_is_that_without_a_fusion(emoji, rng, evidence):
    X = with_modalities(emoji.train, {"noise": noise_of(emoji.train, rng)})
    fuse = OTFusionTransformer(8, random_state=1)
    with pytest.warns(UserWarning, match=SILENT.format("noise")):
        fused = fuse.fit_transform(X)
    options = {"evidence": evidence, "max_iter": 2, "random_state": 0}
    bare = OTKGEClassifier(embedding_dim=8, **options).fit(with_modalities(emoji.train, {}), X_val=emoji.valid)
    kge = OTKGEClassifier(**options).fit(fused, X_val=emoji.valid)
    assert kge.evidence_names_ == bare.evidence_names_
    np.testing.assert_array_equal(kge.rank(emoji.test), bare.rank(emoji.test))


def test_what_needs_a_graph_without_a_fusion_takes_one_of_noise(small):
    X = OTFusionTransformer(8, random_state=0).fit_transform(with_modalities(small, {}))
    on_disk = {"objective": CrossEntropy(n_sampled=16), "entity_table": "disk", "optimizer": "rowwise_adagrad"}
    kge = OTKGEClassifier(**on_disk, evidence=("structure",), max_iter=1, random_state=0)
    assert kge.fit(X).evidence_names_ == ["structure"]
    more = MultimodalTriples([*small.labels, ("e0", "r0", "new")])
    kge = OTKGEClassifier(evidence=("structure",), max_iter=1, warm_start=True, random_state=0).fit(X)
    assert "new" in kge.fit(OTFusionTransformer(8, random_state=0).fit_transform(more)).entities_


def test_evidence_of_modalities_alone_is_refused_where_there_is_none(small):
    bare = with_modalities(small, {})
    for X in (bare, OTFusionTransformer(8, random_state=0).fit_transform(bare)):
        for evidence in (("modalities",), ("cosines",), ("neighbors",), ("relation_maps",)):
            with pytest.raises(ValueError, match=rf"evidence=\('{evidence[0]}',\) finds nothing in X.* 'structure'"):
                OTKGEClassifier(evidence=evidence, random_state=0).fit(X)
    start = OTFusionTransformer(8, fusion="none", random_state=0).fit_transform(bare)
    kge = OTKGEClassifier(evidence=("cosines",), random_state=0).fit(start)
    assert kge.evidence_names_ == ["cosines of structure"]


def test_weights_of_what_counts_as_missing(emoji, rng):
    X = with_modalities(emoji.train, {"noise": noise_of(emoji.train, rng)})
    # Before anything is screened: a warning would be an error.
    with pytest.raises(ValueError, match="must name exactly the spaces"):
        OTFusionTransformer(8, weights={"structure": 1, "text": 1}, random_state=0).fit(X)
    with pytest.warns(UserWarning, match=SILENT.format("noise")):
        assert OTFusionTransformer(8, weights={"structure": 1, "noise": 3}, random_state=0).fit(X).weights_ == {
            "structure": 1.0
        }
    with (
        pytest.warns(UserWarning, match=SILENT.format("noise")),
        pytest.raises(ValueError, match="are 0 for all that counts, structure: other modalities count as missing"),
    ):
        OTFusionTransformer(8, weights={"structure": 0, "noise": 1}, random_state=0).fit(X)


def test_baselines_take_modalities_as_they_are(emoji, rng):
    X = with_modalities(emoji.train[:1500], {"noise": noise_of(emoji.train, rng)})
    baseline = TranslationBaseline("ikrl", n_components=8, max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*says nothing about links")
        warnings.filterwarnings("ignore", message=".*no training triple")
        names = baseline.fit(X).evidence_names_
    assert (
        names
        == TranslationBaseline("ikrl", n_components=8, max_iter=1, random_state=0).fit(emoji.train).evidence_names_
    )


def test_a_structure_that_was_asked_for_is_the_start(small):
    bare = with_modalities(small, {})
    given = {"fusion": "none"}, {"structure": OTKGEClassifier(embedding_dim=8, max_iter=1, evidence=("structure",))}
    for parameters in given:
        fusion = OTFusionTransformer(8, **parameters, random_state=0).fit_transform(bare).fusion
        assert not fusion.is_idle
    assert OTFusionTransformer(8, random_state=0).fit_transform(bare).fusion.is_idle
    assert not OTFusionTransformer(8, random_state=0).fit_transform(small).fusion.is_idle


def test_without_modalities_trained_vectors_are_compared(small, rng):
    fused = OTFusionTransformer(8, fusion="none", random_state=0).fit_transform(small)
    table = rng.standard_normal((30, 8)).astype(np.float32)
    [found], [expected] = likeness_of(fused, table), likeness_of(with_modalities(small, {}), table)
    np.testing.assert_array_equal(found.rows, expected.rows)


def test_statistics_are_the_sums_over_pairs(small, rng):
    observed = small.observed("image")
    links = drawn_links(small.ids, observed, 100, rng)
    np.testing.assert_array_equal(links.entities, np.flatnonzero(observed))
    rows = rng.standard_normal((len(links.entities), 4))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    row_of = dict(zip(links.entities, rows, strict=True))
    triples = {tuple(triple) for triple in small.ids.tolist()}
    sharing = near = mapped = 0.0
    groups = {}
    for head, relation, tail in triples:
        groups.setdefault((relation, "tails of", head), []).append(tail)
        groups.setdefault((relation, "heads of", tail), []).append(head)
    for members in groups.values():
        vectors = [row_of[entity] for entity in members if entity in row_of]
        if len(vectors) > 1:
            products = np.array(vectors) @ np.array(vectors).T
            # The diagonal, which no shuffling changes, is left in.
            sharing += products.sum() / (len(vectors) - 1)
    for relation in range(3):
        ends = [(row_of[h], row_of[t]) for h, r, t in triples if r == relation and {h, t} <= set(row_of) and h != t]
        heads, tails = (np.array(vectors) for vectors in zip(*ends, strict=True))
        near += (heads * tails).sum()
        covariance = np.cov(heads.T, tails.T, bias=True)[:4, 4:]
        mapped += len(heads) * np.square(covariance).sum()
    np.testing.assert_allclose(links.statistics(rows), [sharing, near, mapped])


@pytest.mark.parametrize("sign", [1, -1])
def test_each_way_of_telling_is_seen(rng, sign):
    # Chains of two entities: linked ones alike, or opposite, which the linear map of their relation sees.
    ids = np.column_stack([np.arange(0, 400, 2), np.zeros(200, dtype=int), np.arange(1, 400, 2)])
    rows = rng.standard_normal((400, 8))
    rows[1::2] = sign * rows[::2] + 0.5 * rng.standard_normal((200, 8))
    observed = np.ones(400, dtype=bool)
    assert not is_silent(rows, observed, ids, True, 0)
    assert is_silent(rng.permutation(rows), observed, ids, True, 0)
    # Entities with the same answer: nothing else is alike.
    ids = np.column_stack([np.arange(300), np.zeros(300, dtype=int), 300 + np.arange(300) // 3])
    rows = rng.standard_normal((400, 8))
    rows[:300] = np.repeat(rows[:100], 3, axis=0) + rng.standard_normal((300, 8))
    assert not is_silent(rows, observed, ids, True, 0)


def test_vectors_without_triples_are_kept_and_one_alone_says_nothing():
    ids = np.column_stack([np.arange(0, 200, 2), np.zeros(100, dtype=int), np.arange(1, 200, 2)])
    rows, observed = np.random.RandomState(0).standard_normal((220, 4)), np.zeros(220, dtype=bool)
    observed[200:] = True
    assert not is_silent(rows, observed, ids, True, 0)
    observed[:] = False
    observed[0] = True  # its neighbor has no vector
    assert is_silent(rows, observed, ids, True, 0)


def test_a_part_of_a_large_graph_has_whole_groups_and_tells_as_much(emoji):
    X, n_rows = emoji.train, 300
    observed, matrix = X.observed("text"), X.modalities["text"]
    links = drawn_links(X.ids, observed, n_rows, np.random.RandomState(0))
    assert n_rows - 5 <= len(links.entities) <= n_rows
    whole = drawn_links(X.ids, observed, len(observed), np.random.RandomState(0))
    members = {tuple(whole.entities[row.indices]) for row in whole.groups}
    # Groups that are cut are those of entities that were not drawn.
    assert np.mean([tuple(links.entities[row.indices]) in members for row in links.groups]) > 0.5
    rows = np.asarray(matrix[links.entities], dtype=float)
    rows -= rows.mean(axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert strength(links, rows, np.random.RandomState(0)) > 10
