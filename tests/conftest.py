import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor

from skotkge import MultimodalTriples
from skotkge.datasets import load_emoji

collect_ignore = ["typed"]  # for type checkers, not to be run


@pytest.fixture(scope="session")
def emoji():
    return load_emoji()


@pytest.fixture
def n_workers():
    """Number of worker processes, which end with the test.

    In the next one they would grow by what it imports; loky takes that for a leak, starts others for them, and may
    then wait for ever.
    """
    yield 2
    get_reusable_executor().shutdown(wait=True)


@pytest.fixture
def rng():
    return np.random.RandomState(0)


@pytest.fixture(scope="session")
def small():
    """A random graph of 30 entities and 3 relations with text (complete) and image (a third missing)."""
    rng = np.random.RandomState(7)
    entities = [f"e{number}" for number in range(30)]
    ids = np.unique(rng.randint([30, 3, 30], size=(150, 3)), axis=0)
    ring = np.column_stack([np.arange(30), np.arange(30) % 3, (np.arange(30) + 1) % 30])
    ids = np.unique(np.concatenate([ids, ring]), axis=0)
    triples = [(entities[head], f"r{relation}", entities[tail]) for head, relation, tail in rng.permutation(ids)]
    text, image = rng.standard_normal((30, 12)), rng.standard_normal((30, 6))
    image[rng.permutation(30)[:10]] = np.nan
    return MultimodalTriples(triples, {"text": text, "image": image}, entities=entities)
