"""The format number that fitted estimators carry in their pickled state."""

from .._version import __version__

# One more whenever a change of the fitted attributes keeps older versions from using the state.
FORMAT = 1

# The types of this package in a saved pipeline: what skops has to be told to trust.
TYPES = (
    "skotkge.ComplEx",
    "skotkge.CrossEntropy",
    "skotkge.DistMult",
    "skotkge.Logistic",
    "skotkge.OTFusionTransformer",
    "skotkge.OTKGEClassifier",
    "skotkge.RotatE",
    "skotkge.TransE",
    "skotkge.baselines.CrossSpaceTransE",
    "skotkge.baselines.RuleBaseline",
    "skotkge.baselines.TranslationBaseline",
)


class Persistent:
    """Writes format and version into the state of an estimator, and refuses a state of a newer format.

    Stands before `BaseEstimator` among the bases.
    """

    def __getstate__(self):
        return {**super().__getstate__(), "_skotkge_format": FORMAT, "_skotkge_version": __version__}

    def __setstate__(self, state):
        state = dict(state)
        saved_format, saved_by = state.pop("_skotkge_format", FORMAT), state.pop("_skotkge_version", __version__)
        if saved_format > FORMAT:
            raise ValueError(
                f"this {type(self).__name__} was saved by skotkge {saved_by} in format {saved_format}, and skotkge "
                f"{__version__} reads formats up to {FORMAT}: install skotkge {saved_by} or newer to load it."
            )
        super().__setstate__(state)
