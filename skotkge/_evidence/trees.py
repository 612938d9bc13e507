"""Boosted trees as arrays: what scikit-learn has grown, evaluated on a device and written to files as plain numbers."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from .._utils.sklearn_compat import grown_trees

# Rows at once, so that their masks of all trees stay in a CPU's cache.
ROWS_AT_ONCE = 4096
# One bit each in an int16.
MOST_LEAVES = 15


@dataclass(frozen=True)
class Trees:
    """A sum of regression trees.

    A value of feature f is told by how many of the thresholds of f lie below it, its place. The leaves of a tree are
    bits, numbered from the left. A row whose feature lies above the threshold of a node is not in the leaves on the
    left below it; the lowest bit that all nodes keep is its leaf (Lucchese et al. 2015, QuickScorer). What the nodes of
    a feature keep depends on the place alone and is looked up. Nothing branches, so that all rows and trees are asked
    at once.

    Attributes
    ----------
    thresholds : tuple of ndarray of shape (n_thresholds,), dtype float64
        Distinct ones of each feature, in order.
    features, places : ndarray of shape (n_trees, n_nodes), dtype int16
        What each inner node looks at, and the place of its threshold; a value above it has a greater place. The
        greatest integer where a tree has fewer nodes.
    kept : ndarray of shape (n_trees, n_nodes), dtype int16
        The leaves that are left above the threshold.
    values : ndarray of shape (n_trees, MOST_LEAVES), dtype float32
    """

    thresholds: tuple
    features: np.ndarray
    places: np.ndarray
    kept: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, boosting, X):
        """Return the trees of a fitted `HistGradientBoostingClassifier` of two classes, without its constant.

        Its thresholds may be values that occur, and rounding would decide about these. Each is moved to the middle
        between the two values around it.

        Parameters
        ----------
        boosting : HistGradientBoostingClassifier
            With at most `MOST_LEAVES` leaves in a tree.
        X : ndarray of shape (n_rows, n_features)
            What it was fitted to, without holes.
        """
        grown = grown_trees(boosting)
        for feature, occurring in enumerate(X.T):
            occurring = np.unique(occurring).astype(float)
            for nodes in grown:
                looking = np.flatnonzero((nodes["left"] >= 0) & (nodes["feature"] == feature))
                above = np.searchsorted(occurring, nodes["threshold"][looking], side="right")
                nodes["threshold"][looking] = (occurring[above - 1] + occurring[above]) / 2
        inner = [np.flatnonzero(nodes["left"] >= 0) for nodes in grown]
        features, thresholds = (
            np.concatenate([nodes[name][of_tree] for nodes, of_tree in zip(grown, inner, strict=True)])
            for name in ("feature", "threshold")
        )
        sorted_ones = tuple(np.unique(thresholds[features == f]) for f in range(X.shape[1]))
        shape = len(grown), MOST_LEAVES - 1
        of_nodes, kept = np.zeros(shape, dtype=np.int16), np.full(shape, 2**MOST_LEAVES - 1, dtype=np.int16)
        places, values = np.full(shape, np.iinfo(np.int16).max), np.zeros((len(grown), MOST_LEAVES), dtype=np.float32)
        for tree, nodes in enumerate(grown):
            looked_at, leaves = [], []
            _walk(nodes, 0, looked_at, leaves)
            values[tree, : len(leaves)] = nodes["value"][leaves]
            for number, (node, first, stop) in enumerate(looked_at):
                feature = nodes["feature"][node]
                of_nodes[tree, number] = feature
                places[tree, number] = np.searchsorted(sorted_ones[feature], nodes["threshold"][node])
                # Without bits first, ..., stop - 1, the leaves on the left below the node.
                kept[tree, number] &= ~(2**stop - 2**first)
        return cls(sorted_ones, of_nodes, places.astype(np.int16), kept, values)

    def scaled(self, factor):
        """Return the same trees with all values multiplied by a factor."""
        return replace(self, values=(factor * self.values).astype(np.float32))

    @cached_property
    def _on_devices(self):
        return {}

    def _on(self, device):
        """Thresholds and masks of each feature, and values of the leaves of all trees in one row, on a device."""
        if device not in self._on_devices:
            thresholds = [torch.tensor(of_feature, device=device) for of_feature in self.thresholds]
            masks = [torch.tensor(self._masks(feature), device=device) for feature in range(len(thresholds))]
            self._on_devices[device] = thresholds, masks, torch.tensor(self.values.ravel(), device=device)
        return self._on_devices[device]

    def _masks(self, feature):
        """Leaves that the nodes which look at a feature leave at each place, ``(n_thresholds + 1, n_trees)``."""
        # A value at place p has the thresholds 0, ..., p - 1 below it: the bits that the nodes of these all keep.
        shape = len(self.thresholds[feature]) + 1, len(self.values)
        masks = np.full(shape, 2**MOST_LEAVES - 1, dtype=np.int16)
        trees, nodes = np.nonzero((self.features == feature) & (self.places < len(self.thresholds[feature])))
        np.bitwise_and.at(masks, (self.places[trees, nodes] + 1, trees), self.kept[trees, nodes])
        return np.bitwise_and.accumulate(masks, axis=0)

    def are_near(self, rows, tolerance):
        """Tell which rows rounding might put on the other side of a threshold.

        Parameters
        ----------
        rows : tensor of shape (n_features, n_rows), dtype float64
        tolerance : float
            Rounding errors, relative to the largest threshold of the feature. A zero has none: it stands for nothing
            counted.

        Returns
        -------
        tensor of shape (n_rows,), dtype bool
        """
        near = torch.zeros(rows.shape[1], dtype=torch.bool, device=rows.device)
        for values, thresholds in zip(rows.contiguous(), self._on(rows.device)[0], strict=True):
            if len(thresholds):
                # Only the thresholds on both sides of a value can be so near: one bisection for each feature and row.
                place = torch.searchsorted(thresholds, values)
                around = thresholds[torch.stack([(place - 1).clamp(min=0), place.clamp(max=len(thresholds) - 1)])]
                close = (around - values).abs() <= tolerance * thresholds.abs().max()
                near |= close.any(dim=0) & (values != 0)
        return near

    def sums(self, rows):
        """Sums of the values of the leaves that rows fall into.

        Parameters
        ----------
        rows : tensor of shape (n_features, n_rows), dtype float64

        Returns
        -------
        tensor of shape (n_rows,), dtype float64
        """
        thresholds, masks, values = self._on(rows.device)
        by_feature = zip(thresholds, rows.contiguous(), strict=True)
        places = torch.stack([torch.searchsorted(of_feature, of_rows) for of_feature, of_rows in by_feature])
        first_leaves = MOST_LEAVES * torch.arange(len(self.values), device=rows.device)
        sums = []
        for some in places.split(ROWS_AT_ONCE, dim=1):
            # The leaves that all features leave, (n_rows, n_trees).
            leaves = masks[0].index_select(0, some[0])
            for of_feature, of_rows in zip(masks[1:], some[1:], strict=True):
                leaves &= of_feature.index_select(0, of_rows)
            # x & -x has the lowest bit of x alone, and its logarithm is the number of the leaf.
            lowest = torch.log2((leaves & -leaves).float()).long()
            sums.append(values[lowest + first_leaves].double().sum(dim=1))
        return torch.cat(sums)

    def state(self):
        """Return the arrays that the constructor makes the trees of again."""
        return self.thresholds, self.features, self.places, self.kept, self.values


def _walk(nodes, node, inner, leaves):
    """Number the leaves below a node from the left; of inner nodes note the leaves on their left."""
    if nodes["left"][node] < 0:
        leaves.append(node)
        return
    first = len(leaves)
    _walk(nodes, nodes["left"][node], inner, leaves)
    inner.append((node, first, len(leaves)))
    _walk(nodes, nodes["right"][node], inner, leaves)
