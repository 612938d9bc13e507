"""Multi-modal knowledge graph embeddings by optimal transport, as scikit-learn estimators."""

from ._classifier import OTKGEClassifier
from ._fusion import OTFusionTransformer
from ._triples import MultimodalTriples
from ._version import __version__

__all__ = ["MultimodalTriples", "OTFusionTransformer", "OTKGEClassifier", "__version__"]
