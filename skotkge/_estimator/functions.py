"""Functions for a fitted estimator or a Pipeline that ends with one."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import Pipeline

from .._graph.triples import MultimodalTriples
from .._ranking.completion import Completions, Neighbors
from .._ranking.explanation import Explanation


def complete(model: Any, questions: ArrayLike | Sequence[Sequence[Any]], **options: Any) -> Completions:
    """Fill the empty position of each triple with the best labels.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted; of a pipeline the last step answers.
    questions : array-like of labels of shape (n_questions, 3)
        Each row has exactly one None.
    **options : keyword arguments
        Of `OTKGEClassifier.complete`, such as ``k=10``.

    Returns
    -------
    Completions

    Examples
    --------
    >>> import skotkge
    >>> from sklearn.pipeline import make_pipeline
    >>> kg = skotkge.datasets.load_emoji()
    >>> pipe = make_pipeline(skotkge.OTFusionTransformer(8), skotkge.OTKGEClassifier(max_iter=1, random_state=0))
    >>> pipe = pipe.fit(kg.train)
    >>> head, relation, _ = kg.test.labels[0]
    >>> skotkge.complete(pipe, [[head, relation, None]], k=3).labels.shape
    (1, 3)
    """
    return last_step(model, "complete").complete(questions, **options)


def rank(model: Any, X: ArrayLike, **options: Any) -> NDArray[Any]:
    """Filtered ranks of heads and tails among all entities.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted; a pipeline transforms X, and its last step ranks.
    X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        True triples.
    **options : keyword arguments
        Of `OTKGEClassifier.rank`, such as ``known=``.

    Returns
    -------
    ndarray of shape (n_triples, 2)

    Examples
    --------
    >>> import skotkge
    >>> from skotkge.baselines import RuleBaseline
    >>> triples = [("ann", "wife_of", "bob"), ("bob", "husband_of", "ann"), ("zoe", "wife_of", "leo")]
    >>> triples += [("leo", "husband_of", "zoe"), ("eve", "wife_of", "joe")]
    >>> skotkge.rank(RuleBaseline(random_state=0).fit(triples), [("joe", "husband_of", "eve")])
    array([[1., 1.]])
    """
    return last_step(model, "rank").rank(transformed(model, X), **options)


def evaluate(model: Any, X: ArrayLike, **options: Any) -> dict[str, float]:
    """Filtered ranking metrics.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted; a pipeline transforms X, and its last step ranks.
    X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        True triples.
    **options : keyword arguments
        Of `OTKGEClassifier.evaluate`, such as ``known=``.

    Returns
    -------
    dict of str to float

    Examples
    --------
    >>> import skotkge
    >>> from skotkge.baselines import RuleBaseline
    >>> triples = [("ann", "wife_of", "bob"), ("bob", "husband_of", "ann"), ("zoe", "wife_of", "leo")]
    >>> triples += [("leo", "husband_of", "zoe"), ("eve", "wife_of", "joe")]
    >>> quality = skotkge.evaluate(RuleBaseline(random_state=0).fit(triples), [("joe", "husband_of", "eve")])
    >>> quality["mrr"], quality["tail_hits@10"]
    (1.0, 1.0)
    """
    return last_step(model, "evaluate").evaluate(transformed(model, X), **options)


def explain(model: Any, X: ArrayLike, **options: Any) -> Explanation:
    """Tell what each kind of evidence adds to the log-odds of triples, and the facts behind it.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted; a pipeline transforms X, and its last step explains.
    X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
    **options : keyword arguments
        Of `OTKGEClassifier.explain`, such as ``side=``.

    Returns
    -------
    Explanation

    Examples
    --------
    >>> import skotkge
    >>> from skotkge.baselines import RuleBaseline
    >>> triples = [("ann", "wife_of", "bob"), ("bob", "husband_of", "ann"), ("zoe", "wife_of", "leo")]
    >>> triples += [("leo", "husband_of", "zoe"), ("eve", "wife_of", "joe")]
    >>> rules = RuleBaseline(random_state=0).fit(triples)
    >>> explanation = skotkge.explain(rules, [("joe", "husband_of", "eve")])
    >>> explanation.log_odds.round(6) == rules.decision_function([("joe", "husband_of", "eve")]).round(6)
    array([ True])
    """
    return last_step(model, "explain").explain(transformed(model, X), **options)


def nearest(model: Any, entities: ArrayLike, k: int = 10, **options: Any) -> Neighbors:
    """Find the entities with the most similar embeddings.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted; of a pipeline the last step answers.
    entities : array-like of labels of shape (n_asked,)
    k : int, default=10
    **options : keyword arguments
        Of `OTKGEClassifier.nearest`, such as ``space=``.

    Returns
    -------
    Neighbors

    Examples
    --------
    >>> import skotkge
    >>> triples = [(f"e{i}", "next", f"e{(i + 1) % 30}") for i in range(30)]
    >>> kge = skotkge.OTKGEClassifier(embedding_dim=4, max_iter=1, random_state=0).fit(triples)
    >>> skotkge.nearest(kge, ["e7", "e3"], k=5).labels.shape
    (2, 5)
    """
    return last_step(model, "nearest").nearest(entities, k, **options)


def embed(model: Any, labels: ArrayLike, space: str | None = None, **options: Any) -> NDArray[Any]:
    """Return the embeddings of entities.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted; of a pipeline the last step answers.
    labels : array-like of labels of shape (n_asked,)
    space : str, default=None
        A key of `space_embeddings_`. None is "fused", or the first where there is no fused space.
    **options : keyword arguments
        Of `OTKGEClassifier.embed`: ``new_entities=``.

    Returns
    -------
    ndarray of shape (n_asked, d)

    Examples
    --------
    >>> import skotkge
    >>> triples = [(f"e{i}", "next", f"e{(i + 1) % 30}") for i in range(30)]
    >>> kge = skotkge.OTKGEClassifier(embedding_dim=4, max_iter=1, random_state=0).fit(triples)
    >>> skotkge.embed(kge, ["e7", "e3", "e7"]).shape
    (3, 4)
    """
    return last_step(model, "embed").embed(labels, space, **options)


def last_step(model, method):
    """Return the estimator that answers: the model, or the last step of a pipeline.

    Raises
    ------
    TypeError
        If it has no such method.
    """
    step = model[-1] if isinstance(model, Pipeline) else model
    if not hasattr(step, method):
        raise TypeError(
            f"model is a {type(model).__name__}, and its {type(step).__name__} cannot {method}; "
            "give a fitted OTKGEClassifier, a baseline, or a Pipeline that ends with one."
        )
    return step


def transformed(model, X):
    """Return triples as the steps before the last one of a pipeline transform them."""
    if isinstance(model, Pipeline) and len(model) > 1 and isinstance(X, MultimodalTriples):
        return model[:-1].transform(X)
    return X
