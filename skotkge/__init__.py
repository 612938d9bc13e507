"""Multi-modal knowledge graph embeddings by optimal transport, as scikit-learn estimators."""

from ._classifier import OTKGEClassifier
from ._completion import Completions, Neighbors
from ._fusion import OTFusionTransformer
from ._matching import EntityPairs, OTEntityMatcher, merge
from ._triples import MultimodalTriples
from ._version import __version__

__all__ = [
    "Completions",
    "EntityPairs",
    "MultimodalTriples",
    "Neighbors",
    "OTEntityMatcher",
    "OTFusionTransformer",
    "OTKGEClassifier",
    "__version__",
    "merge",
]
