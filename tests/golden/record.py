"""Record the answers of all graphs and settings: ``python -m tests.golden.record`` in the root of the repository."""

import json
import tempfile
from pathlib import Path

import numpy as np

from . import cases, models

FOLDER = Path(__file__).resolve().parent
ANSWERS, COMMAND_LINE = FOLDER / "answers.npz", FOLDER / "command_line.txt"


def save(path, answers):
    """Write the answers of all cases as few arrays, which are smaller than many.

    Parameters
    ----------
    path : path-like
    answers : dict of str to dict of str to ndarray
        By case and name; of numbers or strings.
    """
    every = [(case, name, values) for case, named in answers.items() for name, values in named.items()]
    numbers = [values.ravel() for _, _, values in every if values.dtype.kind == "f"]
    strings = [values.ravel() for _, _, values in every if values.dtype.kind != "f"]
    labels, places = np.unique(np.concatenate(strings), return_inverse=True)
    index = [(case, name, values.dtype.kind, values.shape) for case, name, values in every]
    np.savez_compressed(
        path,
        index=np.frombuffer(json.dumps(index).encode(), dtype=np.uint8),
        numbers=np.concatenate(numbers),
        labels=labels,
        places=places.astype(np.int16),
    )


def load(path=ANSWERS):
    """Read what `save` has written."""
    with np.load(path, allow_pickle=False) as file:
        index = json.loads(file["index"].tobytes())
        flat = {True: file["numbers"], False: file["labels"][file["places"]]}
    answers, starts = {}, {True: 0, False: 0}
    for case, name, kind, shape in index:
        start, size = starts[kind == "f"], int(np.prod(shape))
        answers.setdefault(case, {})[name] = flat[kind == "f"][start : start + size].reshape(shape)
        starts[kind == "f"] += size
    return answers


def record():
    """Write ``answers.npz``, ``command_line.txt`` and the saved models of a new format."""
    models.record()
    answers = {}
    for graph_name, graph_of in cases.GRAPHS.items():
        graph = graph_of()
        for setting_name, setting in cases.SETTINGS.items():
            answers[f"{graph_name}, {setting_name}"] = cases.answers_of(graph, setting)
    save(ANSWERS, answers)
    with tempfile.TemporaryDirectory() as folder:
        COMMAND_LINE.write_text(cases.command_line_text(Path(folder)), encoding="utf-8")
    every = [values for named in answers.values() for values in named.values()]
    print(f"{len(answers)} cases, {len(every)} answers, {sum(values.size for values in every)} values")


if __name__ == "__main__":
    record()
