"""Multi-modal knowledge graph embeddings by optimal transport, as scikit-learn estimators.

Names are imported when they are first used, so that data, splits and metrics do not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from . import baselines as baselines
    from . import callbacks as callbacks
    from . import datasets as datasets
    from . import encoding as encoding
    from . import inspection as inspection
    from . import metrics as metrics
    from . import model_selection as model_selection
    from ._embedding.options import CrossEntropy, Logistic
    from ._embedding.score_functions import ComplEx, Distance, DistMult, DotProduct, RotatE, ScoreFunction, TransE
    from ._estimator.classifier import OTKGEClassifier
    from ._estimator.comparing import Comparison, compare
    from ._estimator.embedder import EntityEmbedder
    from ._estimator.embedding_files import export_embeddings
    from ._estimator.embedding_graphs import to_networkx, to_pyg
    from ._estimator.file_scoring import score_file
    from ._estimator.functions import complete, embed, evaluate, explain, nearest, rank
    from ._estimator.saving import load, save
    from ._estimator.so_far import load_checkpoint
    from ._evidence.protocol import BoundEvidence, Evidence
    from ._explore.decisions import read_decisions
    from ._fusion.column_alignment import ColumnAligner, ColumnAlignment
    from ._fusion.transformer import OTFusionTransformer
    from ._graph.constraint_statements import read_constraints
    from ._graph.triples import MultimodalTriples
    from ._matching.matcher import OTEntityMatcher
    from ._matching.merging import merge
    from ._matching.pairs import EntityPairs
    from ._ranking.answering_processes import shared_answers
    from ._ranking.completion import Completions, Neighbors
    from ._ranking.explanation import Explanation, Fact
    from ._spaces import EvidenceId

__all__ = [
    "BoundEvidence",
    "ColumnAligner",
    "ColumnAlignment",
    "Comparison",
    "ComplEx",
    "Completions",
    "CrossEntropy",
    "DistMult",
    "Distance",
    "DotProduct",
    "EntityEmbedder",
    "EntityPairs",
    "Evidence",
    "EvidenceId",
    "Explanation",
    "Fact",
    "Logistic",
    "MultimodalTriples",
    "Neighbors",
    "OTEntityMatcher",
    "OTFusionTransformer",
    "OTKGEClassifier",
    "RotatE",
    "ScoreFunction",
    "TransE",
    "__version__",
    "compare",
    "complete",
    "embed",
    "evaluate",
    "explain",
    "export_embeddings",
    "load",
    "load_checkpoint",
    "merge",
    "nearest",
    "rank",
    "read_constraints",
    "read_decisions",
    "save",
    "score_file",
    "shared_answers",
    "to_networkx",
    "to_pyg",
]

_SUBMODULES = ("baselines", "callbacks", "datasets", "encoding", "inspection", "metrics", "model_selection")
_HOMES = {
    "BoundEvidence": "._evidence.protocol",
    "ColumnAligner": "._fusion.column_alignment",
    "ColumnAlignment": "._fusion.column_alignment",
    "Comparison": "._estimator.comparing",
    "ComplEx": "._embedding.score_functions",
    "Distance": "._embedding.score_functions",
    "DotProduct": "._embedding.score_functions",
    "Completions": "._ranking.completion",
    "CrossEntropy": "._embedding.options",
    "DistMult": "._embedding.score_functions",
    "EntityEmbedder": "._estimator.embedder",
    "EntityPairs": "._matching.pairs",
    "Evidence": "._evidence.protocol",
    "EvidenceId": "._spaces",
    "Explanation": "._ranking.explanation",
    "Fact": "._ranking.explanation",
    "OTEntityMatcher": "._matching.matcher",
    "merge": "._matching.merging",
    "Logistic": "._embedding.options",
    "MultimodalTriples": "._graph.triples",
    "Neighbors": "._ranking.completion",
    "OTFusionTransformer": "._fusion.transformer",
    "OTKGEClassifier": "._estimator.classifier",
    "RotatE": "._embedding.score_functions",
    "ScoreFunction": "._embedding.score_functions",
    "TransE": "._embedding.score_functions",
    "compare": "._estimator.comparing",
    "complete": "._estimator.functions",
    "embed": "._estimator.functions",
    "evaluate": "._estimator.functions",
    "explain": "._estimator.functions",
    "export_embeddings": "._estimator.embedding_files",
    "nearest": "._estimator.functions",
    "load": "._estimator.saving",
    "load_checkpoint": "._estimator.so_far",
    "rank": "._estimator.functions",
    "read_constraints": "._graph.constraint_statements",
    "read_decisions": "._explore.decisions",
    "save": "._estimator.saving",
    "score_file": "._estimator.file_scoring",
    "to_networkx": "._estimator.embedding_graphs",
    "to_pyg": "._estimator.embedding_graphs",
    "shared_answers": "._ranking.answering_processes",
}


if not TYPE_CHECKING:  # with it, a type checker would accept any name

    def __getattr__(name):
        if name in _SUBMODULES:
            return import_module(f".{name}", __name__)
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOMES[name], __name__), name)
        return value


def __dir__():
    return sorted([*__all__, *_SUBMODULES])
