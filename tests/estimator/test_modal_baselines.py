"""TransAE and MMKRL against their equations in NumPy, and what both share with all estimators."""

import pickle

import numpy as np
import pytest
import torch
from helpers import with_newcomer
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import skotkge
from skotkge import CrossEntropy, Logistic, MultimodalTriples, OTKGEClassifier
from skotkge._embedding.negatives import queries_of
from skotkge._embedding.options import TrainingOptions
from skotkge._spaces import concat_order
from skotkge.baselines import MarginRanking, MeanCrossSpaceTransE, MMKRLBaseline, TransAEBaseline
from skotkge.baselines._autoencoder import AutoencoderSpec
from skotkge.baselines._component_alignment import AlignedSpec
from skotkge.model_selection import TransductiveKFold

D = 5
MODELS = {
    "transae": lambda **parameters: TransAEBaseline(D, **dict(n_hidden=4, max_iter=3, random_state=0) | parameters),
    "transae by Manhattan distances": lambda **parameters: TransAEBaseline(
        D, **dict(n_hidden=4, norm=1, objective="margin", max_iter=3, random_state=0) | parameters
    ),
    "mmkrl": lambda **parameters: MMKRLBaseline(D, **dict(max_iter=3, random_state=0) | parameters),
}


@pytest.fixture(params=sorted(MODELS))
def make(request):
    return MODELS[request.param]


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def scaled(X):
    """Standardised columns with zeros for missing rows, and where there are any."""
    columns, observed = {}, {}
    for name, matrix in X.modalities.items():
        observed[name] = ~np.isnan(matrix).any(axis=1)
        rows = (matrix - matrix[observed[name]].mean(axis=0)) / matrix[observed[name]].std(axis=0)
        columns[name] = np.where(observed[name][:, None], rows, 0.0)
    return columns, observed


def naive_codes(columns, observed, layers):
    hidden = [
        observed[name][:, None] * sigmoid(rows @ layers[f"input of {name}"] + layers[f"input bias of {name}"])
        for name, rows in columns.items()
    ]
    all_of_code = np.vstack([layers[f"code of {name}"] for name in columns])
    return np.hstack(hidden) @ all_of_code + layers["bias of code"]


def naive_views(columns, observed, layers):
    """s and m of entities that all have triples."""
    structure = layers["structure"] @ layers["reconstruction of structure"] + layers["bias of structure"]
    maps = np.vstack([layers[f"map of {name}"] for name in columns])
    modalities = np.hstack(list(columns.values())) @ maps + layers["bias of modalities"]
    return structure, np.any(list(observed.values()), axis=0)[:, None] * modalities


def naive_distance(fitted, X):
    """A function of head, relation and tail by the equations of the papers."""
    (evidence,) = fitted.predictor_.evidence
    if isinstance(fitted, TransAEBaseline):
        views, order = [naive_codes(*scaled(X), evidence.parameters)], fitted.norm
    else:
        views, order = naive_views(*scaled(X), evidence.parameters), 2

    def distance(head, relation, tail):
        step = evidence.relations[relation]
        return np.mean([np.linalg.norm(a[head] + step - b[tail], ord=order) for a in views for b in views])

    return distance


def test_scores_are_those_of_the_equations(small, make):
    fitted = make().fit(small)
    distance = naive_distance(fitted, small)
    asked = small[small.ids[:, 0] != small.ids[:, 2]][:20]
    expected = [-(distance(h, r, t) + distance(t, r + 3, h)) / 2 for h, r, t in asked.ids]
    np.testing.assert_allclose(fitted.score_triples(asked), expected, rtol=1e-4)


def test_entity_embeddings_are_codes_or_views(small):
    transae, mmkrl = MODELS["transae"]().fit(small), MODELS["mmkrl"]().fit(small)
    layers = [fitted.predictor_.evidence[0].parameters for fitted in (transae, mmkrl)]
    np.testing.assert_allclose(transae.entity_embeddings_, naive_codes(*scaled(small), layers[0]), rtol=1e-4)
    views = np.hstack(naive_views(*scaled(small), layers[1]))[:, concat_order(D, 2)]
    np.testing.assert_allclose(mmkrl.entity_embeddings_, views, rtol=1e-4, atol=1e-6)
    assert transae.relation_embeddings_.shape == mmkrl.relation_embeddings_.shape == (6, D)


@pytest.mark.parametrize("name", ["text", "image"])
def test_features_change_the_scores(small, make, name):
    """Those of heads as well as of tails: other vectors of one entity change what it answers and what it asks."""
    fitted, modalities = make().fit(small), dict(small.modalities)
    entity = int(np.flatnonzero(small.observed(name))[0])
    modalities[name] = modalities[name].copy()
    modalities[name][entity] += 1.0
    X = MultimodalTriples(small.labels, modalities, entities=small.entities)
    other = make().fit(X)
    assert not np.allclose(fitted.score_triples(small), other.score_triples(small))
    distance, moved = naive_distance(fitted, small), naive_distance(fitted, X)
    another = (entity + 1) % 30
    assert abs(distance(entity, 0, another) - moved(entity, 0, another)) > 1e-4
    assert abs(distance(another, 0, entity) - moved(another, 0, entity)) > 1e-4


OBJECTIVES = {
    "cross-entropy": CrossEntropy(),
    "sampled cross-entropy": CrossEntropy(n_sampled=8),
    "margin": MarginRanking(n_negatives=3),
}


def training_loss(X, kind, objective, **options):
    """The loss that a trainer of this space has, and its model."""
    columns, observed = scaled(X)
    parts = dict(features={name: rows.astype(np.float32) for name, rows in columns.items()}, observed=observed)
    structure = np.random.RandomState(0).standard_normal((X.n_entities, D))
    if kind == "transae":
        spec = AutoencoderSpec(None, None, **parts, n_components=D, n_hidden=4, **options)
    else:
        spec = AlignedSpec(structure, np.ones(X.n_entities), **parts, **options)
    score_function = skotkge.TransE(margin=0.0) if kind == "transae" else MeanCrossSpaceTransE()
    training = TrainingOptions(score_function, objective, regularization=0.0, batch_size=32)
    generator = torch.Generator().manual_seed(0)
    model = spec.model_of_training(3, training, generator)
    return model.with_own_terms(objective.of_training(model, X.ids, 3, training, generator)), model


@pytest.mark.parametrize("objective", sorted(OBJECTIVES))
@pytest.mark.parametrize(
    ("kind", "options", "names"),
    [
        ("transae", {}, {"translation", "reconstruction"}),
        ("mmkrl", {}, {"translation", "alignment of structure", "alignment of modalities"}),
        (
            "mmkrl",
            {"epsilon": 0.5},
            {"translation", "adversary", "alignment of structure", "alignment of modalities"},
        ),
    ],
)
def test_each_term_of_the_loss_is_above_zero_and_moves_parameters(small, kind, options, names, objective):
    loss, model = training_loss(small, kind, OBJECTIVES[objective], **options)
    drawn = loss.loss.generator.get_state()
    for batch in list(loss.batches()):
        terms = loss.terms(batch)
        assert terms.keys() == names
        assert min(terms.values()) > 0
        if "adversary" in terms:
            assert terms["adversary"] > terms["translation"]
    assert all(parameter.grad is not None for parameter in model.parameters().values())
    loss.loss.generator.set_state(drawn)
    assert loss.backward(next(iter(loss.batches()))) > 0


def test_the_reconstruction_is_the_error_of_what_is_there(small):
    loss, model = training_loss(small, "transae", CrossEntropy(), reconstruction_weight=3.0)
    terms = loss.terms(next(iter(loss.batches())))
    columns, observed = scaled(small)
    layers = {name: value.detach().numpy() for name, value in model.parameters().items()}
    codes, wanted = naive_codes(columns, observed, layers), 0.0
    for name, rows in columns.items():
        hidden = sigmoid(codes @ layers[f"decoder of {name}"] + layers[f"decoder bias of {name}"])
        errors = (hidden @ layers[f"output of {name}"] + layers[f"output bias of {name}"] - rows) ** 2
        wanted += errors[observed[name]].mean()
    n_batches = -(-len(small) // 32)
    np.testing.assert_allclose(terms["reconstruction"], 3.0 * wanted * len(small) / n_batches, rtol=1e-5)


def test_the_alignment_is_the_distance_of_the_components(small):
    loss, model = training_loss(small, "mmkrl", CrossEntropy(), alignment_weight=2.0)
    terms = loss.terms(next(iter(loss.batches())))
    layers = {name: value.detach().numpy() for name, value in model.parameters().items()}
    structure, modalities = naive_views(*scaled(small), layers)
    free, share = layers["structure"], len(small) / -(-len(small) // 32)
    wanted = 2.0 * share * ((free - structure) ** 2).mean()
    np.testing.assert_allclose(terms["alignment of structure"], wanted, rtol=1e-5)
    wanted = 2.0 * share * ((free @ layers["structure to modalities"] - modalities) ** 2).mean()
    np.testing.assert_allclose(terms["alignment of modalities"], wanted, rtol=1e-5)


def asked_rows(loss, model, batch):
    """The terms of a batch, and the rows that it asked for: as they are and, with an adversary, moved."""
    asked, entities = [], model.entities

    def recorded(*arguments):
        asked.append(entities(*arguments))
        return asked[-1]

    model.entities = recorded
    terms = loss.terms(batch)
    model.entities = entities
    return terms, [rows.detach() for rows in asked]


def test_the_adversary_steps_a_share_of_each_row_up_the_loss(small):
    loss, model = training_loss(small, "mmkrl", CrossEntropy(), epsilon=0.2)
    _, (rows, moved) = asked_rows(loss, model, next(iter(loss.batches())))
    np.testing.assert_allclose((moved - rows).norm(dim=1) / rows.norm(dim=1), 0.2, rtol=1e-5)
    torch.testing.assert_close(rows, model.entities().detach())


@pytest.mark.parametrize(("kind", "options"), [("transae", {}), ("mmkrl", {}), ("mmkrl", {"epsilon": 0.5})])
def test_the_gradients_are_those_of_the_sum_of_all_terms(small, kind, options):
    """By autograd through all scores of the batch, with the views computed anew for each term."""
    loss, model = training_loss(small, kind, CrossEntropy(), **options)
    batch = next(iter(loss.batches()))
    terms, asked = asked_rows(loss, model, batch)
    found = {name: parameter.grad.clone() for name, parameter in model.parameters().items()}
    sources, answers = batch.entities.split([len(batch.relations), len(batch.answers)])
    score_function, total = loss.loss.options.score_function, sum(model.own_terms(*model.views()).values())
    for step in [moved - asked[0] for moved in asked]:
        rows = model.joined(*model.views()) + step
        query = score_function.query(rows[sources], model.relations[batch.relations])
        logs = torch.log_softmax(score_function.score_all(query, rows), dim=1)
        total = total - 2 / len(answers) * logs[batch.rows, answers].sum()
    expected = torch.autograd.grad(total, list(model.parameters().values()))
    for name, gradient in zip(found, expected, strict=True):
        torch.testing.assert_close(
            found[name], gradient, rtol=1e-3, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}"
        )
    np.testing.assert_allclose(sum(terms.values()) * 2 / len(answers), total.item(), rtol=1e-2)


def test_margin_ranking_is_the_hinge_of_each_negative(small):
    objective = MarginRanking(margin=0.7, n_negatives=3)
    loss, model = training_loss(small, "transae", objective, reconstruction_weight=0.0)
    batch, drawn = torch.tensor(small.ids[:20]), loss.loss.generator.get_state()
    found = loss.terms(batch)["translation"]
    loss.loss.generator.set_state(drawn)
    queries, answers, _ = loss.loss.corruption.draw(batch, 3)
    sources, relations, positives = queries_of(batch, 3)
    entities, steps = model.entities().detach().numpy(), model.relations.detach().numpy()

    def distance(query, answer):
        return np.linalg.norm(entities[sources[query]] + steps[relations[query]] - entities[answer])

    hinges = [
        max(0.0, 0.7 + distance(query, positives[query]) - distance(query, answer))
        for query, answer in zip(queries, answers, strict=True)
    ]
    np.testing.assert_allclose(found, sum(hinges) / 3, rtol=1e-4)


def test_training_lowers_the_reconstruction_error(small):
    """With an output that reaches beyond 0 and 1, where half of the standardised columns lie."""
    options = dict(learning_rate=0.3, batch_size=16, max_iter=60, validation_fraction=0, random_state=0)
    fitted = TransAEBaseline(20, n_hidden=20, **options).fit(small)
    layers, (columns, observed) = fitted.predictor_.evidence[0].parameters, scaled(small)
    codes = naive_codes(columns, observed, layers)
    hidden = sigmoid(codes @ layers["decoder of text"] + layers["decoder bias of text"])
    decoded = hidden @ layers["output of text"] + layers["output bias of text"]
    assert ((decoded - columns["text"]) ** 2).mean() < 0.5
    assert decoded.min() < 0
    assert decoded.max() > 1


def test_an_entity_that_came_later_is_placed_by_its_vectors(small, make, tmp_path):
    later = with_newcomer(small)
    fitted = make().fit(small)
    scores = fitted.score_triples(later)
    assert np.isfinite(scores).all()
    assert scores[0] != scores[1]
    skotkge.save(fitted, tmp_path / "model.skops")
    for loaded in (skotkge.load(tmp_path / "model.skops"), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(loaded.score_triples(later), scores)
        np.testing.assert_array_equal(loaded.rank(small), fitted.rank(small))
    with pytest.raises(ValueError, match="labels that fit has not seen: 'newcomer'"):
        fitted.score_triples(later.labels)


def test_a_fit_repeats_bit_by_bit_and_leaves_its_input_alone(small, make):
    first, second = make().fit(small), make().fit(small)
    np.testing.assert_array_equal(first.predict_proba(small), second.predict_proba(small))
    assert small.fusion is None
    assert not np.allclose(first.entity_embeddings_, make(random_state=1).fit(small).entity_embeddings_)


def test_a_modality_is_needed(small, make):
    with pytest.raises(ValueError, match=r"X has no modality, and .* OTKGEClassifier\(score_function='transe'\)"):
        make().fit(small.labels)
    constant = MultimodalTriples(small.labels, {"text": np.ones((30, 2))}, entities=small.entities)
    with (
        pytest.warns(UserWarning, match="the modality 'text' tells no entities apart"),
        pytest.raises(ValueError, match="no modality of X tells entities apart, of text: give other columns"),
    ):
        make().fit(constant)


def test_odd_parameters_of_the_objective_are_named(small, make):
    with pytest.raises(ValueError, match=r"'n_negatives' parameter of MarginRanking .* Got 0"):
        make(objective=MarginRanking(n_negatives=0)).fit(small)


@pytest.mark.parametrize(
    ("objective", "name"), [(Logistic(n_negatives=0), "n_negatives"), (CrossEntropy(n_sampled=0), "n_sampled")]
)
def test_odd_parameters_of_the_other_objectives_are_named_too(small, objective, name):
    with pytest.raises(ValueError, match=f"'{name}' parameter of {type(objective).__name__} "):
        OTKGEClassifier(objective=objective, embedding_dim=4).fit(small.labels)


def test_entities_without_any_vector_or_triple_are_ranked_too(small, make):
    modalities = {name: matrix.copy() for name, matrix in small.modalities.items()}
    for matrix in modalities.values():
        matrix[3] = np.nan
    X = MultimodalTriples(small.labels, modalities, entities=small.entities)
    X = X[(X.ids[:, [0, 2]] != 5).all(axis=1)]
    with pytest.warns(UserWarning, match="1 of 30 entities"):
        fitted = make().fit(X)
    ranks = fitted.rank([("e3", "r0", "e5"), ("e5", "r0", "e1")])
    assert np.isfinite(ranks).all()


def test_scikit_learn_searches_over_objectives(small, make):
    grid = [{"objective": ["cross_entropy", "margin", CrossEntropy(n_sampled=8)]}]
    grid.append({"objective": [MarginRanking(n_negatives=2)], "objective__margin": [0.5, 2.0]})
    search = GridSearchCV(make(max_iter=1), grid, cv=TransductiveKFold(2, random_state=0)).fit(small)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert clone(search.best_estimator_).get_params().keys() == search.best_estimator_.get_params().keys()


def test_both_learn_on_emoji(emoji):
    options = dict(max_iter=2, random_state=0)
    for kind in (TransAEBaseline, MMKRLBaseline):
        trained = kind(20, **options).fit(emoji.train, X_val=emoji.valid)
        assert trained.score(emoji.test) > 0.02, kind
