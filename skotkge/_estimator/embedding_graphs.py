"""Graphs of other libraries with the embeddings at their nodes: networkx and PyG."""

from typing import Any

from numpy.typing import ArrayLike

from .._graph.triples import MultimodalTriples, as_triples
from .functions import last_step


def to_networkx(model: Any, X: ArrayLike | None = None, *, space: str | None = None) -> Any:
    """Return a graph of networkx whose nodes have their embeddings.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted; of a pipeline the last step has the embeddings.
    X : MultimodalTriples or array-like of labels of shape (n_triples, 3), default=None
        The edges, between entities that the model knows or that come with vectors. None: the true triples that `fit`
        has seen, those for validation included.
    space : str, default=None
        A key of `space_embeddings_`. None is "fused", or the first where there is no fused space.

    Returns
    -------
    networkx.MultiDiGraph
        As from `MultimodalTriples.to_networkx`; every node has the attribute ``"embedding"``, an ndarray of shape (d,).

    Raises
    ------
    ImportError
        If networkx is not installed.
    ValueError
        If an entity or the space is not known.

    Examples
    --------
    >>> import skotkge
    >>> triples = [(f"e{i}", "next", f"e{(i + 1) % 30}") for i in range(30)]
    >>> kge = skotkge.OTKGEClassifier(embedding_dim=4, max_iter=1, random_state=0).fit(triples)
    >>> graph = skotkge.to_networkx(kge)
    >>> graph, graph.nodes["e7"]["embedding"].shape
    (<networkx.classes.multidigraph.MultiDiGraph object at 0x...>, (4,))
    """
    X, vectors = _graph_and_vectors(model, X, space)
    graph = X.to_networkx()
    for entity, vector in zip(X.entities.tolist(), vectors, strict=True):
        graph.nodes[entity]["embedding"] = vector
    return graph


def to_pyg(model: Any, X: ArrayLike | None = None, *, space: str | None = None) -> Any:
    """Return a graph of PyG whose nodes have their embeddings as features.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted; of a pipeline the last step has the embeddings.
    X : MultimodalTriples or array-like of labels of shape (n_triples, 3), default=None
        The edges, between entities that the model knows or that come with vectors. None: the true triples that `fit`
        has seen, those for validation included.
    space : str, default=None
        A key of `space_embeddings_`. None is "fused", or the first where there is no fused space.

    Returns
    -------
    torch_geometric.data.Data
        ``x`` of shape (n_entities, d), ``edge_index`` of shape (2, n_triples), ``edge_type`` of shape (n_triples,), as
        PyG's own knowledge graphs have them; the lists ``entities`` and ``relations`` tell what the numbers stand for.

    Raises
    ------
    ImportError
        If torch_geometric is not installed: ``pip install ".[pyg]"``.
    ValueError
        If an entity or the space is not known.

    Examples
    --------
    >>> import skotkge
    >>> triples = [(f"e{i}", "next", f"e{(i + 1) % 30}") for i in range(30)]
    >>> kge = skotkge.OTKGEClassifier(embedding_dim=4, max_iter=1, random_state=0).fit(triples)
    >>> skotkge.to_pyg(kge).x.shape
    torch.Size([30, 4])
    """
    from .._embedding.pyg import pyg_data

    X, vectors = _graph_and_vectors(model, X, space)
    return pyg_data(vectors, X.ids, entities=X.entities.tolist(), relations=X.relations.tolist())


def _graph_and_vectors(model, X, space):
    """The triples of a graph, and the embedding of each entity of their table."""
    step = last_step(model, "embed")
    if X is None:
        predictor = step.predictor_
        labels, relations = predictor.vocabulary.entities, predictor.vocabulary.relations
        heads, kinds, tails = predictor.true_ids.T
        columns = {"head": labels[heads], "relation": relations[kinds], "tail": labels[tails]}
        X = MultimodalTriples(columns, entities=labels, relations=relations, **predictor.vocabulary.descriptions)
    X = as_triples(X)
    return X, step.embed(X.entities, space, new_entities=X if X.modalities else None)
