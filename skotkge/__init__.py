"""Multi-modal knowledge graph embeddings by optimal transport, as scikit-learn estimators."""

from ._classifier import OTKGEClassifier
from ._completion import Completions, Neighbors
from ._fusion import OTFusionTransformer
from ._triples import MultimodalTriples
from ._version import __version__

__all__ = [
    "Completions",
    "MultimodalTriples",
    "Neighbors",
    "OTFusionTransformer",
    "OTKGEClassifier",
    "__version__",
]
