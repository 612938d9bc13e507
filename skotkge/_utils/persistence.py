"""The format number of saved models and checkpoints, the types in them, and how estimators carry the number."""

from inspect import signature

from .._version import __version__
from .archives import state_for_archive, state_from_archive

# One more whenever a change of what is saved keeps older versions from using it. Each format is read for ever.
FORMAT = 1

# The types of this package in a saved pipeline: what skops has to be told to trust.
TYPES = (
    "skotkge.ComplEx",
    "skotkge.CrossEntropy",
    "skotkge.DistMult",
    "skotkge.EntityEmbedder",
    "skotkge.Logistic",
    "skotkge.OTEntityMatcher",
    "skotkge.OTFusionTransformer",
    "skotkge.OTKGEClassifier",
    "skotkge.RotatE",
    "skotkge.TransE",
    "skotkge.baselines.CrossSpaceTransE",
    "skotkge.baselines.MMKRLBaseline",
    "skotkge.baselines.ManhattanTransE",
    "skotkge.baselines.MarginRanking",
    "skotkge.baselines.MeanCrossSpaceTransE",
    "skotkge.baselines.RuleBaseline",
    "skotkge.baselines.TransAEBaseline",
    "skotkge.baselines.TranslationBaseline",
    "skotkge.metrics.RankingScorer",
)

# All others that load without trust: plain values (skops calls most of them strings), arrays, the numbers of NumPy that
# parameters of a grid are, and what scikit-learn adds.
PLAIN_TYPES = (
    "builtins.bytes",
    "builtins.dict",
    "builtins.int",
    "builtins.list",
    "builtins.str",
    "builtins.tuple",
    "numpy.bool",
    "numpy.bool_",
    "numpy.float32",
    "numpy.float64",
    "numpy.int32",
    "numpy.int64",
    "numpy.ndarray",
    "numpy.random.mtrand.RandomState",
    "sklearn.pipeline.Pipeline",
)


class Persistent:
    """Writes format and version into the state of an estimator, and refuses a state of a newer format.

    Stands before `BaseEstimator` among the bases.
    """

    def __getstate__(self):
        return state_for_archive(self._plain_state)

    def _plain_state(self):
        """What is saved, of arrays and plain values; estimators with more than their attributes override it."""
        return {**super().__getstate__(), "_skotkge_format": FORMAT, "_skotkge_version": __version__}

    def __setstate__(self, state):
        self._set_plain_state(state_from_archive(state))

    def _set_plain_state(self, state):
        """Take the state that `_plain_state` has made."""
        state = dict(state)
        saved_format, saved_by = state.pop("_skotkge_format", FORMAT), state.pop("_skotkge_version", __version__)
        if saved_format > FORMAT:
            raise ValueError(
                f"this {type(self).__name__} was saved by skotkge {saved_by} in format {saved_format}, and skotkge "
                f"{__version__} reads formats up to {FORMAT}: install skotkge {saved_by} or newer to load it."
            )
        super().__setstate__(self._later_parameters(state) | state)

    def _later_parameters(self, state):
        """Defaults of the parameters that a file of an older version does not have."""
        parameters = signature(type(self).__init__).parameters
        return {name: parameters[name].default for name in self._get_param_names() if name not in state}
