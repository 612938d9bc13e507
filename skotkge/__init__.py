"""Multi-modal knowledge graph embeddings by optimal transport, as scikit-learn estimators."""

from ._estimator.classifier import OTKGEClassifier
from ._fusion.column_alignment import ColumnAligner, ColumnAlignment
from ._fusion.transformer import OTFusionTransformer
from ._graph.triples import MultimodalTriples
from ._ranking.completion import Completions, Neighbors
from ._version import __version__

__all__ = [
    "ColumnAligner",
    "ColumnAlignment",
    "Completions",
    "MultimodalTriples",
    "Neighbors",
    "OTFusionTransformer",
    "OTKGEClassifier",
    "__version__",
]
