"""The rows of the factors of a batch, entities and relations, and their gradients, which are added up by hand."""

import torch


class Factors:
    """Rows of the sources and answers of queries, and of their relations, all constant.

    Entities and relations of one width lie in one tensor, so that one operation is for both.

    Parameters
    ----------
    table : tensor of shape (n_entities, d)
        Constant.
    places : tensor of shape (n_rows,)
        Rows of the table, those of the sources first.
    relation_table : tensor of shape (2 * n_relations, d_r)
        Trained.
    relations : tensor of shape (n_queries,)

    Attributes
    ----------
    rows : tensor of shape (n_rows, d)
    relation_rows : tensor of shape (n_queries, d_r)
    of_rows, of_relation_rows : tensors of the same shapes
        Gradients, from `regularize` on.
    """

    def __init__(self, table, places, relation_table, relations):
        self._relation_table, self._relations = relation_table, relations
        shapes = (len(places), table.shape[1]), (len(relations), relation_table.shape[1])
        self._joined = None
        if shapes[0][1] == shapes[1][1]:
            self._joined = table.new_empty(len(places) + len(relations), table.shape[1])
            self.rows, self.relation_rows = self._joined.split([len(places), len(relations)])
        else:
            self.rows, self.relation_rows = map(table.new_empty, shapes)
        torch.index_select(table, 0, places, out=self.rows)
        torch.index_select(relation_table.detach(), 0, relations, out=self.relation_rows)
        self.of_rows = self.of_relation_rows = None

    @property
    def sources(self):
        """Rows of the source of each query."""
        return self.rows[: len(self._relations)]

    @property
    def answers(self):
        """Rows of the other entities."""
        return self.rows[len(self._relations) :]

    def regularize(self, score_function, counts, strength):
        """Return the N3 regularizer, and begin the gradients with `strength` times its own.

        Parameters
        ----------
        score_function : ScoreFunction
        counts : tensor of shape (n_rows + n_queries,)
            How often each of the rows counts, and then each of those of the relations.
        strength : float

        Returns
        -------
        tensor of shape ()
        """
        counts = counts.to(self.rows.dtype)
        if self._joined is not None and score_function.regularizes_relations:
            value, gradient = score_function.n3(self._joined, counts, strength)
            self.of_rows, self.of_relation_rows = gradient.split([len(self.rows), len(self.relation_rows)])
            return value
        value, self.of_rows = score_function.n3(self.rows, counts[: len(self.rows)], strength)
        if not score_function.regularizes_relations:
            self.of_relation_rows = torch.zeros_like(self.relation_rows)
            return value
        more, self.of_relation_rows = score_function.n3(self.relation_rows, counts[len(self.rows) :], strength)
        return value + more

    def pass_back(self, score_function, of_query):
        """Add the gradient of the queries to the rows, and leave that of the relation table in the table."""
        of_sources = self.of_rows[: len(self._relations)]
        score_function.add_query_gradients(
            self.sources, self.relation_rows, of_query, of_sources, self.of_relation_rows
        )
        # Row r gets sum_q [relations[q] = r] of_relation_rows[q]. The gradient is dense, since there are few relations
        # beside the entities.
        n_relations = len(self._relation_table)
        add_gradient(
            self._relation_table,
            torch.ops.aten.embedding_dense_backward(self.of_relation_rows, self._relations, n_relations, -1, False),
        )


def add_gradient(parameter, gradient):
    """Add to the gradient of a parameter, which may have none yet."""
    parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
