"""ColumnsBaseline: baselines that map the scaled columns of the modalities by layers of their own."""

from .._embedding.options import CrossEntropy, objective_of
from .._spaces import FUSED, EvidenceId
from .._utils.sklearn_compat import HasMethods, StrOptions
from ._margin_ranking import MarginRanking
from ._modal_baseline import ModalBaseline
from ._modality_columns import ModalityColumns

OBJECTIVES = {"cross_entropy": CrossEntropy, "margin": MarginRanking}
OBJECTIVE_CONSTRAINTS = [StrOptions(set(OBJECTIVES)), HasMethods("of_training")]


class ColumnsBaseline(ModalBaseline):
    """Trains a space of layers over the modalities; subclasses write `_space` and set `_encoder_class`."""

    def _with_fusion(self, X, y, random_state):
        columns = ModalityColumns.fit(X, self._encoder_class)
        if not columns.scalings:
            raise ValueError(
                f"no modality of X tells entities apart, of {', '.join(X.modalities)}: give other columns, or use "
                "OTKGEClassifier(score_function='transe')."
            )
        return X.with_fusion(columns)

    def _space_maker(self, seed):
        return lambda X: {EvidenceId(FUSED): self._space(X, seed)}

    def _space(self, X, seed):
        """The `LayeredSpec` that the fit trains."""
        raise NotImplementedError

    def _objective(self):
        return objective_of(self.objective, OBJECTIVES)
