"""The trainable parameters of one space, and the entity table that they make."""

from functools import reduce

import numpy as np
import torch
from torch.nn import functional

from .disk import all_finite, copy_on_disk, empty_on_disk
from .start import filled_table

# Scaled columns give fused rows of unit variance, a scale at which training does not take off.
INITIAL_GAIN = 1e-2


class EmbeddingModel:
    """The trained parameters of a space and the entity embeddings that they make (Eq. 2-3 with Delta_k).

    ``E = w_S S + sum_k w_k M_k W_k``, or these terms side by side: S, W_k and the relation table are trained,
    the scaled columns M_k and the weights w are fixed.

    Parameters
    ----------
    spec : SpaceSpec
    n_relations : int
        The relation table has twice as many rows.
    options : TrainingOptions
    generator : torch.Generator
    dtype : torch.dtype, default=torch.float32
    """

    def __init__(self, spec, n_relations, options, generator, dtype=torch.float32):
        def on_device(array):
            return torch.tensor(np.asarray(array), dtype=dtype, device=options.device)

        relations = options.score_function.initial_relations(2 * n_relations, spec.width, INITIAL_GAIN, generator)
        self.relations = relations.to(options.device, dtype).requires_grad_()
        self.structure, self._is_on_disk, self._masked = None, options.entity_table == "disk", None
        if spec.structure is not None:
            is_trained = options.structure_lr_factor > 0 or not spec.maps
            empty = empty_on_disk if self._is_on_disk else None
            start = filled_table(spec.structure, dtype, options.device, empty).mul_(INITIAL_GAIN)
            self.structure = start.requires_grad_(is_trained)
            weight = np.asarray(spec.structure_weight)
            self._structure_weight = None if (weight == 1).all() else on_device(weight)[:, None]
            # Where S is all there is and w_S is 0 or 1, rows of weight 0 are zero in S itself: E is S, no second table.
            if not (spec.maps or spec.features) and np.isin(weight, (0, 1)).all():
                self._masked = torch.as_tensor(np.flatnonzero(weight == 0), device=options.device)
                self._mask_rows()
        self.maps = {
            name: (INITIAL_GAIN * on_device(start)).requires_grad_(options.transport_lr_factor > 0)
            for name, start in spec.maps.items()
        }
        self._features = {
            name: torch.as_tensor(matrix, dtype=dtype, device=options.device) for name, matrix in spec.features.items()
        }
        self._rounded = {}
        self._order = None if spec.order is None else torch.tensor(spec.order, device=options.device)

    @property
    def n_entities(self):
        table = next(iter(self._features.values())) if self.structure is None else self.structure
        return len(table)

    def entities(self, chosen=None, precision=None):
        """Return entity embeddings.

        Parameters
        ----------
        chosen : tensor of entities, default=None
            Distinct, see `distinct`; None is all. The structural table gets a sparse gradient for chosen ones.
        precision : torch.dtype, default=None
            Of the factors of the products with the maps; None is that of the maps.

        Returns
        -------
        tensor of shape (n_entities, d)
        """
        parts = [] if self.structure is None else [self._weighted_structure(chosen)]
        for name, weight in self.maps.items():
            # The columns are w_k M_k, so that this is the term w_k M_k W_k, (n_chosen, d), of Eq. (2)-(3).
            columns = _rows(self._columns(name, precision), chosen)
            parts.append((columns @ weight.to(columns.dtype)).to(weight.dtype))
        return reduce(torch.add, parts) if self._order is None else torch.cat(parts, dim=1)[:, self._order]

    def _columns(self, name, precision):
        """Columns of a modality; once rounded they are kept, because every batch asks for them."""
        if precision is None:
            return self._features[name]
        if name not in self._rounded:
            self._rounded[name] = self._features[name].to(precision)
        return self._rounded[name]

    def _weighted_structure(self, chosen):
        table = self.structure if chosen is None else _ChosenRows.apply(self.structure, chosen)
        if self._structure_weight is None or (self._masked is not None and not torch.is_grad_enabled()):
            return table
        weight = _rows(self._structure_weight, chosen)
        return weight * table if self._masked is None else _Masked.apply(table, weight)

    def _mask_rows(self):
        """Set the rows to zero that are not trained, where `entities` takes S for E."""
        if self._masked is not None:
            with torch.no_grad():
                self.structure.index_fill_(0, self._masked, 0.0)

    def backward(self, entities, gradient):
        """Hand the gradient of what `entities` returned on to the parameters."""
        if entities is self.structure:
            self.structure.grad = gradient
        else:
            entities.backward(gradient)

    def with_own_terms(self, loss):
        """Return the loss together with what a model of its own kind adds to it; here nothing."""
        return loss

    def folds_for(self, n_queries, n_entities):
        """Tell whether scoring in the modality's own columns, with the map on the side of the queries, takes less work.

        Counted in multiplications of forward and backward pass; unfolded, the gradient of the entity table is one more
        product, folded, the entities are constant.
        """
        if self.structure is not None or len(self._features) != 1 or self._order is not None:
            return False
        # For q queries, n entities, c columns and width d. Folded: scores and the gradient of the queries, 2 q n c, and
        # products of few rows with the map. Unfolded: scores and two gradients, 3 q n d, and the table M W with the
        # gradient of W, 2 n c d.
        n_columns, width = next(iter(self._features.values())).shape[1], self.relations.shape[1]
        folded = 2 * n_queries * n_entities * n_columns + 9 * n_queries * n_columns * width
        return folded < 3 * n_queries * n_entities * width + 2 * n_entities * n_columns * width

    def folded(self, chosen=None):
        """Return the columns of the chosen entities, None being all, and the map of the only modality."""
        return _rows(next(iter(self._features.values())), chosen), next(iter(self.maps.values()))

    def parameters(self):
        """Return all parameters by name."""
        structure = {} if self.structure is None else {"structure": self.structure}
        maps = {f"map of {name}": weight for name, weight in self.maps.items()}
        return structure | {"relations": self.relations} | maps

    def trained_state(self):
        """Return copies of the parameters, that of a table on disk on disk as well."""
        return {name: self.copy_of(parameter) for name, parameter in self.parameters().items()}

    def copy_of(self, parameter):
        """Return a copy of a parameter, where it lies itself."""
        on_disk = self._is_on_disk and parameter is self.structure
        return copy_on_disk(parameter) if on_disk else parameter.detach().clone()

    def load_trained(self, state):
        """Take over parameters of the same names and shapes."""
        parameters = self.parameters()
        state = checked_state(state, {name: tuple(parameter.shape) for name, parameter in parameters.items()})
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(state[name])
        self._mask_rows()

    def start_from(self, state, weight=None):
        """Take over the parameters of an earlier training, but for rows of S that it had set to zero.

        Parameters
        ----------
        state : dict of str to ndarray
        weight : ndarray of shape (n_entities,), default=None
            w_S of that training. Rows of weight 0 keep the start that they have; None is 1.
        """
        kept = None
        if self._masked is not None and weight is not None:
            first = torch.as_tensor(np.flatnonzero(np.asarray(weight) == 0), device=self.structure.device)
            kept = first, self.structure.detach().index_select(0, first)
        self.load_trained(state)
        if kept is not None:
            with torch.no_grad():
                self.structure.index_copy_(0, *kept)


class _ChosenRows(torch.autograd.Function):
    """Rows of a table, with a sparse gradient that has them in the order in which they were chosen."""

    @staticmethod
    def forward(ctx, table, chosen):
        ctx.save_for_backward(chosen)
        ctx.shape = table.shape
        return table.index_select(0, chosen)

    @staticmethod
    def backward(ctx, gradient):
        (chosen,) = ctx.saved_tensors
        return torch.sparse_coo_tensor(chosen[None], gradient, ctx.shape, check_invariants=False), None


class _Masked(torch.autograd.Function):
    """Rows as they are, whose gradient is multiplied by a weight of each."""

    @staticmethod
    def forward(ctx, rows, weight):
        ctx.save_for_backward(weight)
        return rows.view_as(rows)

    @staticmethod
    def backward(ctx, gradient):
        (weight,) = ctx.saved_tensors
        return weight * gradient, None


def checked_state(state, shapes):
    """Return parameters to continue from as tensors; refuse other shapes than told, and values that are not finite."""
    state = {name: value if isinstance(value, torch.Tensor) else torch.tensor(value) for name, value in state.items()}
    if shapes != {name: tuple(value.shape) for name, value in state.items()}:
        raise ValueError(
            "warm_start=True needs the score function, the modalities and the number of dimensions of the previous "
            "fit; set warm_start=False to start anew."
        )
    spoiled = [name for name, value in state.items() if not all_finite(value)]
    if spoiled:
        raise ValueError(
            f"the table {spoiled[0]!r} to continue from has NaN or infinite values, which no fit leaves in it: the "
            "model or its file is damaged; load another copy, or set warm_start=False to start anew."
        )
    return state


def _rows(table, chosen):
    return table if chosen is None else functional.embedding(chosen, table)
