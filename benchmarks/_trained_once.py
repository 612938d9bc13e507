"""Fits that differ in other evidence alone share the tables of the spaces that they train.

A space is trained by itself, whatever other evidence there is: what it learns depends on the triples, the fusion, the
seed and the parameters of training. So leaving one kind out after another need not train all spaces again.
"""

import joblib

from skotkge import EvidenceId

# Parameters that change nothing of what a space learns.
OF_OTHER_EVIDENCE = ("evidence", "combiner", "calibration_negatives", "checkpoint", "checkpoint_interval", "verbose")
SPACES = ("structure", "modalities", "fused")
NAMED = {"all": SPACES, "embeddings": SPACES, "fused": ("fused",)}
# Seconds between two states of a space that is being trained, which nothing here goes on from.
NEVER = 1e9


class TrainedOnce:
    """Keeps trained spaces in memory, as the parameter `checkpoint` of the fits that share them.

    Parameters
    ----------
    n_kept : int
        Of how many data, seeds and parameters the spaces are kept, the latest ones.
    """

    def __init__(self, n_kept):
        self._n_kept, self._kept, self._key, self._order = n_kept, {}, None, []

    def __deepcopy__(self, memo):
        return self  # clones of an estimator share it

    def within(self, name):
        return self

    def check(self):
        pass

    def names(self):
        return []

    def write(self, name, values):
        if name == "fit":
            self._begin(values)
        elif name.startswith("train-"):
            id = self._order[int(name.removeprefix("train-"))]
            if EvidenceId(*values["id"]) != id:
                raise RuntimeError(f"{name} is of {EvidenceId(*values['id'])}, not of {id}.")
            self._kept[self._key][id] = values

    def _begin(self, values):
        """Note what the fit has in common with others, and which spaces it trains in which order."""
        estimator, modalities = values["estimator"], list(values["observed"])
        same = {name: value for name, value in estimator.get_params().items() if name not in OF_OTHER_EVIDENCE}
        self._key = joblib.hash((same, values["record"]["fit_record_"]["data"], values["encoders"]))
        self._kept[self._key] = self._kept.pop(self._key, {})
        for oldest in list(self._kept)[: -self._n_kept]:
            del self._kept[oldest]
        # As the fit does: in the order of SPACES, and without modalities the structure alone.
        named = isinstance(estimator.evidence, str)
        evidence = (NAMED[estimator.evidence] if named else estimator.evidence) if modalities else ("structure",)
        parts = {"structure": [None], "modalities": modalities, "fused": [None]}
        self._order = [EvidenceId(kind, part) for kind in SPACES if kind in evidence for part in parts[kind]]

    def read(self, name, trusted=False):
        number = name.removeprefix("train-")
        return self._kept[self._key].get(self._order[int(number)]) if number.isdigit() else None

    def remove(self, name):
        pass
