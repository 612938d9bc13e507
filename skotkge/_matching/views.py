"""Which views two graphs can be compared by, and the evidence of those that need no known pair."""

from dataclasses import dataclass

import numpy as np
from sklearn.random_projection import GaussianRandomProjection

from .._utils.messages import shown
from .across import ACROSS, own_modalities
from .evidence import (
    N_LABEL_COLUMNS,
    N_VIEW_SKETCH_COLUMNS,
    NAMES,
    STRUCTURE,
    Part,
    around_parts,
    modality_vectors,
    name_vectors,
)
from .links import links_of
from .lookup import label_key
from .propagation import unit_rows


@dataclass(frozen=True)
class TwoGraphs:
    """Both graphs as arrays.

    Parameters
    ----------
    sizes : tuple of two int
        Entities of each.
    names : tuple of two lists
        Names of the entities, or their labels where the triples have no names.
    modalities : tuple of two mappings of str to ndarray of shape (n_entities, n_features)
    links : tuple of two Links
    shared_types : ndarray of shape (n_shared, 2)
        Types of edges with the same label in both graphs.
    """

    sizes: tuple
    names: tuple
    modalities: tuple
    links: tuple
    shared_types: np.ndarray

    @property
    def have_triples(self):
        return all(side.adjacency.nnz for side in self.links)

    @property
    def own_modalities(self):
        return own_modalities(self.modalities, self.shared_modalities)

    @property
    def shared_modalities(self):
        first, second = self.modalities
        return [name for name in first if name in second and first[name].shape[1] == second[name].shape[1]]


def two_graphs(X, Y):
    """Read what matching needs from two `MultimodalTriples`."""
    sides = (X, Y)
    return TwoGraphs(
        sizes=tuple(side.n_entities for side in sides),
        names=tuple((side.entities if side.names is None else side.names).tolist() for side in sides),
        modalities=tuple(dict(side.modalities) for side in sides),
        links=tuple(links_of(side.ids, side.n_entities, len(side.relations)) for side in sides),
        shared_types=_shared_types(X.relations.tolist(), Y.relations.tolist()),
    )


def _shared_types(first, second):
    position = {label_key(label): row for row, label in enumerate(second)}
    shared = [(row, position[label_key(label)]) for row, label in enumerate(first) if label_key(label) in position]
    forward = np.array(shared, dtype=np.int64).reshape(-1, 2)
    return np.concatenate([forward, forward + np.array([len(first), len(second)])])


def chosen_views(views, graphs):
    """Return the views to use.

    Parameters
    ----------
    views : "auto" or sequence of str
    graphs : TwoGraphs

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If a view is none of both graphs, or there is none at all.
    """
    possible = [STRUCTURE] if graphs.have_triples else []
    possible += graphs.shared_modalities
    if all(graphs.own_modalities):
        possible.append(ACROSS)
    if all(isinstance(name, str) for side in graphs.names for name in side[:100]):
        possible.append(NAMES)
    if isinstance(views, str) and views == "auto":
        chosen = possible
    else:
        chosen = [views] if isinstance(views, str) else list(views)
    unknown = [view for view in chosen if view not in possible]
    if unknown:
        raise ValueError(f"views has {shown(unknown[0])}, but the two graphs can be compared by {possible} only.")
    if not chosen:
        raise ValueError(
            "views is empty and the two graphs share neither triples, modalities nor names; give both some."
        )
    return chosen


def check_start(views, n_pairs):
    """Refuse to match by structure alone where no pair is known.

    Raises
    ------
    ValueError
        If there is nothing to start from.
    """
    if not n_pairs and set(views) <= {STRUCTURE, ACROSS}:
        raise ValueError(
            f"pairs is empty and views nothing but {' and '.join(views)}, seen from known pairs; give some pairs, a "
            "modality of the same name and width in both graphs, or 'names' among the views."
        )


def static_parts(graphs, views, n_hops, random_state):
    """Evidence of modalities and names: of the entities themselves, and of what lies around them.

    Parameters
    ----------
    graphs : TwoGraphs
    views : list of str
    n_hops : int
    random_state : RandomState

    Returns
    -------
    list of Part
    """
    parts = []
    for view in views:
        if view in (STRUCTURE, ACROSS):
            continue
        if view == NAMES:
            vectors = name_vectors(*graphs.names, random_state)
        else:
            vectors = modality_vectors(*(side[view] for side in graphs.modalities))
        parts.append(Part(view, *vectors))
        if STRUCTURE in views:
            starts = _narrow(vectors, random_state)
            around = around_parts(
                view, graphs.links, graphs.shared_types, starts, n_hops, N_VIEW_SKETCH_COLUMNS, random_state
            )
            parts += [Part(f"{view} around", around[0].first, around[0].second)]
            parts += [Part(f"{view} around by relation", around[1].first, around[1].second)]
    return parts


def starting_parts(parts, graphs):
    """The parts to trust before anything is known: those of shared modalities, of names where there are none."""
    trusted = graphs.shared_modalities or [NAMES]
    chosen = [part for part in parts if part.name.removesuffix(" by relation").removesuffix(" around") in trusted]
    return chosen or parts


def _narrow(vectors, random_state):
    """The same vectors in fewer columns where they have many."""
    if vectors[0].shape[1] <= N_LABEL_COLUMNS:
        return vectors
    # Gaussian projections keep inner products on average; both graphs go through the same one.
    projection = GaussianRandomProjection(N_LABEL_COLUMNS, random_state=random_state.randint(2**31 - 1))
    projection.fit(vectors[0])
    return [unit_rows(projection.transform(side).astype(np.float32)) for side in vectors]
