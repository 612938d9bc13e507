"""What `speed.py` sets side by side: this package, PyKEEN, and the bare matrix products of the same shapes."""

import logging
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import mean
from time import perf_counter

import numpy as np
import torch

from skotkge import OTKGEClassifier

LEARNING_RATE, INITIAL_SCALE = 0.1, 1e-2
# Training cuts the answers of a query into pieces of at most so many; here it tells the rows of a batch.
ANSWERS_OF_A_PIECE = 4
# On a CPU PyKEEN takes 32 unless told; a larger batch is faster.
PYKEEN_EVALUATION_BATCH = 128


@dataclass(frozen=True)
class Size:
    """What all competitors have in common. `epochs` are timed after one that is not."""

    dimension: int = 400
    batch_size: int = 512
    n_negatives: int = 64
    epochs: int = 1
    device: str = "cpu"


def now(device):
    """Seconds at which a device has done all that it was told to do."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
    return perf_counter()


# --- this package


def our_epoch(X, size, **parameters):
    """Seconds of an epoch in `OTKGEClassifier.fit`, those of all trained spaces added."""
    kge = our_classifier(size, max_iter=1 + size.epochs, **parameters)
    if X.fusion is not None:
        kge.set_params(embedding_dim=None)
    stopwatch = Stopwatch(size.device)
    with quiet():
        kge.fit(X, callbacks=[stopwatch])
    return sum(map(_mean_step, stopwatch.spaces.values()))


def our_classifier(size, **parameters):
    """A classifier of the common size that trains for a fixed number of epochs, without regressions."""
    common = dict(
        embedding_dim=size.dimension,
        batch_size=size.batch_size,
        learning_rate=LEARNING_RATE,
        early_stopping=False,
        validation_fraction=0,
        evidence="embeddings",
        device=size.device,
        random_state=0,
    )
    return OTKGEClassifier(**common | parameters)


class Stopwatch:
    """Callback that notes, for each trained space, the times at which its epochs ended."""

    def __init__(self, device):
        self.device, self.spaces = device, {}

    def on_epoch_end(self, state):
        self.spaces.setdefault(state.space, []).append(now(self.device))


@contextmanager
def quiet():
    """Without warnings: of models that have hardly been trained, on a part of the triples, and of PyKEEN's loader."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def our_ranks(kge, known, test):
    """Seconds of `OTKGEClassifier.rank`, whose ranks are on the CPU at the end."""
    start = perf_counter()
    kge.rank(test, known=known)
    return perf_counter() - start


def _mean_step(stamps):
    return mean(later - earlier for earlier, later in pairwise(stamps)) if len(stamps) > 1 else np.nan


# --- the floor


def answer_counts(X):
    """Number of answers of each distinct (source, relation), in both directions."""
    head, relation, tail = X.ids.T
    n_relations = len(X.relations)
    sources, relations = np.concatenate([head, tail]), np.concatenate([relation, relation + n_relations])
    return np.unique(sources * 2 * n_relations + relations, return_counts=True)[1]


def rows_of_a_batch(X, size):
    """Rows of logits in a batch of training by cross-entropy."""
    n_pieces = np.ceil(answer_counts(X) / ANSWERS_OF_A_PIECE).sum()
    return int(np.ceil(n_pieces / np.ceil(len(X) / size.batch_size)))


def floor_epoch(X, size, fused_columns=None):
    """Seconds of the products alone: one row for each distinct query, forward and backward.

    With `fused_columns` those of the structure, of each modality and of the fused space, each trained by itself.
    """
    rows, n_queries = rows_of_a_batch(X, size), len(answer_counts(X))
    if fused_columns is None:
        spaces = [structure_products(X.n_entities, size.dimension, size.device)]
    else:
        widths = [matrix.shape[1] for matrix in X.modalities.values()]
        device = size.device
        spaces = [structure_products(X.n_entities, fused_columns, device)]
        spaces += [modality_products(X.n_entities, width, fused_columns, rows, device) for width in widths]
        spaces.append(mapped_products(X.n_entities, widths, fused_columns, device))
    for products in spaces:
        products(rows)
    start = now(size.device)
    for products in spaces:
        for first in range(0, n_queries, rows):
            products(min(rows, n_queries - first))
    return now(size.device) - start


def structure_products(n_entities, width, device):
    """Return a function of a number of queries that computes their logits and both gradients."""
    entities, queries = (torch.randn(n_rows, width, device=device) for n_rows in (n_entities, 4 * n_entities))

    def products(n_rows):
        gradients(queries[:n_rows], entities)

    return products


def gradients(query, entities):
    """Logits, and with these in place of their gradient the gradients of the queries and of the entities."""
    logits = query @ entities.T
    return logits @ entities, logits.T @ query


def modality_products(n_entities, n_columns, width, n_rows, device):
    """As `structure_products` for a mapped modality, in whichever order takes fewer multiplications."""
    folded = 2 * n_rows * n_entities * n_columns + 5 * n_rows * n_columns * width
    if folded >= 3 * n_rows * n_entities * width + 2 * n_entities * n_columns * width:
        return mapped_products(n_entities, [n_columns], width, device)
    columns, weight = torch.randn(n_entities, n_columns, device=device), torch.randn(n_columns, width, device=device)

    def products(n_rows):
        sources = columns[:n_rows]
        query = sources @ weight
        logits = (query @ weight.T) @ columns.T
        gradient = logits @ columns
        gradient.T @ query
        sources.T @ (gradient @ weight)

    return products


def mapped_products(n_entities, widths, width, device):
    """As `structure_products` for entities that are a sum of a table and of mapped modalities."""
    matrices = [torch.randn(n_entities, n_columns, device=device) for n_columns in widths]
    weights = [torch.randn(n_columns, width, device=device) for n_columns in widths]
    queries = torch.randn(n_entities, width, device=device)

    def products(n_rows):
        entities = sum(matrix @ weight for matrix, weight in zip(matrices, weights, strict=True))
        gradient = gradients(queries[:n_rows], entities)[1]
        for matrix in matrices:
            matrix.T @ gradient

    return products


def floor_scores(n_entities, size, test):
    """Seconds of the product of all queries of the test triples with all entities, in blocks."""
    shapes = (n_entities, size.dimension), (2 * len(test), size.dimension)
    entities, queries = (torch.randn(shape, device=size.device) for shape in shapes)
    start = now(size.device)
    for block in queries.split(size.batch_size):
        block @ entities.T
    return now(size.device) - start


# --- PyKEEN


def pykeen_version():
    """Version of PyKEEN, or None where there is none."""
    try:
        import pykeen.version
    except ImportError:
        return None
    return pykeen.version.get_version()


def pykeen_model(X, size, *, reciprocal, loss):
    """Triples and ComplEx for PyKEEN, with the initial scale of this package and without a regularizer."""
    from pykeen.models import ComplEx
    from pykeen.triples import CoreTriplesFactory

    triples = CoreTriplesFactory(
        as_tensor(X), num_entities=X.n_entities, num_relations=len(X.relations), create_inverse_triples=reciprocal
    )
    initial = partial(torch.nn.init.normal_, std=INITIAL_SCALE)
    model = ComplEx(
        triples_factory=triples,
        embedding_dim=size.dimension // 2,
        loss=loss,
        entity_initializer=initial,
        relation_initializer=initial,
        random_seed=0,
    ).to(size.device)
    for table in (*model.entity_representations, *model.relation_representations):
        table.regularizer = None
    return triples, model


def as_tensor(X):
    return torch.from_numpy(X.ids.astype(np.int64))


def pykeen_epoch(X, size, *, sampled=False, reciprocal=True):
    """Seconds of an epoch of PyKEEN: LCWA with softmax cross-entropy, or sLCWA with the logistic loss."""
    triples, model = pykeen_model(X, size, reciprocal=reciprocal, loss="softplus" if sampled else "crossentropy")
    return _mean_step(pykeen_train(triples, model, size, 1 + size.epochs, sampled))


def pykeen_train(triples, model, size, n_epochs, sampled=False):
    """Train; return the times at which the epochs ended."""
    from pykeen.training import LCWATrainingLoop, SLCWATrainingLoop
    from pykeen.training.callbacks import TrainingCallback

    stamps = []

    class Clock(TrainingCallback):
        def post_epoch(self, *arguments, **options):
            stamps.append(now(size.device))

    options = dict(negative_sampler_kwargs=dict(num_negs_per_pos=size.n_negatives)) if sampled else {}
    optimizer = torch.optim.Adagrad(model.get_grad_params(), lr=LEARNING_RATE)
    make = SLCWATrainingLoop if sampled else LCWATrainingLoop
    loop = make(model=model, triples_factory=triples, optimizer=optimizer, **options)
    with quiet():
        loop.train(triples, num_epochs=n_epochs, batch_size=size.batch_size, use_tqdm=False, callbacks=Clock())
    return stamps


def pykeen_ranks(model, kg, test):
    """Seconds of PyKEEN's filtered evaluation of both sides, and the filtered MRR."""
    from pykeen.evaluation import RankBasedEvaluator

    logging.getLogger("torch_max_mem").setLevel(logging.ERROR)  # it warns of every CPU
    start = perf_counter()
    found = RankBasedEvaluator(filtered=True).evaluate(
        model,
        as_tensor(test),
        batch_size=PYKEEN_EVALUATION_BATCH,
        use_tqdm=False,
        additional_filter_triples=[as_tensor(kg.train), as_tensor(kg.valid)],
    )
    return perf_counter() - start, found.get_metric("both.realistic.inverse_harmonic_mean_rank")
