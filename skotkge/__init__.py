"""Multi-modal knowledge graph embeddings by optimal transport, as scikit-learn estimators."""

from ._embedding.options import CrossEntropy, Logistic
from ._embedding.score_functions import ComplEx, DistMult, RotatE, ScoreFunction, TransE
from ._estimator.classifier import OTKGEClassifier
from ._fusion.transformer import OTFusionTransformer
from ._graph.triples import MultimodalTriples
from ._ranking.completion import Completions, Neighbors
from ._version import __version__

__all__ = [
    "ComplEx",
    "Completions",
    "CrossEntropy",
    "DistMult",
    "Logistic",
    "MultimodalTriples",
    "Neighbors",
    "OTFusionTransformer",
    "OTKGEClassifier",
    "RotatE",
    "ScoreFunction",
    "TransE",
    "__version__",
]
