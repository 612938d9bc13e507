"""Searches on a Ray cluster: a graph goes into Ray's object store once, and not with each task."""

import weakref

from .._graph.triples import MultimodalTriples


def register_with_ray() -> None:
    """Have Ray keep each graph in its object store, so that the tasks of a search carry no more than a reference.

    Call it after ``ray.init()``, before a search with joblib's back end "ray". Without it every task has the matrices
    of all modalities with it. On each machine of the cluster the graph then lies in shared memory once, which its
    processes read without a copy.

    Returns
    -------
    None

    Raises
    ------
    ImportError
        If Ray is not installed (``pip install ".[ray]"``).

    Examples
    --------
    >>> import joblib, ray  # doctest: +SKIP
    >>> from ray.util.joblib import register_ray  # doctest: +SKIP
    >>> from skotkge.model_selection import register_with_ray  # doctest: +SKIP
    >>> ray.init()  # doctest: +SKIP
    >>> register_ray()  # doctest: +SKIP
    >>> register_with_ray()  # doctest: +SKIP
    >>> with joblib.parallel_config("ray"):  # doctest: +SKIP
    ...     search.fit(kg.train)
    """
    import ray

    stored = weakref.WeakKeyDictionary()

    def reference_to(X):
        if X not in stored:
            stored[X] = ray.put(_Parts(X))
        return stored[X]

    ray.util.register_serializer(MultimodalTriples, serializer=reference_to, deserializer=_graph_of)


class _Parts:
    """What a graph is made of, which Ray pickles in its own way."""

    def __init__(self, X):
        self.parts = X.__reduce_ex__(5)


def _graph_of(reference):
    import ray

    make, arguments, state, *_ = ray.get(reference).parts
    X = make(*arguments)
    X.__dict__.update(state)
    return X
