"""The code of the paper (https://github.com/Lion-ZS/OTKGE), timed on a CPU without a change to its files.

It runs in a process of its own, in a temporary folder laid out as it expects: with our triples and features, because
its own features cannot be had. Its calls of ``cuda()`` are made to do nothing.
"""

import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import numpy as np

REGULARIZATION, LEARNING_RATE, NAME = 5e-3, 0.1, "graph"
EVALUATION_BATCH = 500  # of its Dataset.eval; each batch maps all entities anew


def reference_seconds(checkout, kg, size, share, folder):
    """Seconds of one epoch and of the evaluation of the test triples, measured on a share of both.

    Parameters
    ----------
    checkout : path-like
        Holds the folder ``code``.
    kg : Bunch
        With two modalities.
    size : Size
    share : float
    folder : Path
        Empty or from a previous call with the same `kg`.

    Returns
    -------
    dict of str to float
        "epoch" and "evaluation", scaled to the whole.
    """
    if not (folder / "code").exists():
        lay_out(folder, kg)
    options = {"code": str(Path(checkout).resolve() / "code"), "share": share}
    options |= {"dimension": size.dimension, "batch_size": size.batch_size}
    command = [sys.executable, str(Path(__file__).resolve()), json.dumps(options)]
    ran = subprocess.run(command, cwd=folder / "code", capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(f"the code of the paper failed, it needs tqdm besides torch:\n{ran.stderr}")
    return json.loads(ran.stdout.splitlines()[-1])


def lay_out(folder, kg):
    """Write the triples and features. Its numbers of entities follow the sorted labels, here ids with leading zeros."""
    for part in ("code", "pre_train", "data", f"src_data/{NAME}"):
        (folder / part).mkdir(parents=True)
    for split in ("train", "valid", "test"):
        lines = ["\t".join(f"{label:07}" for label in row) + "\n" for row in kg[split].ids]
        (folder / "src_data" / NAME / split).write_text("".join(lines))
    used = np.unique(np.concatenate([kg[split].ids[:, [0, 2]] for split in ("train", "valid", "test")]))
    for kind, matrix in zip(("ling", "visual"), kg.train.modalities.values(), strict=True):
        for graph in ("wn", "fb"):
            np.save(folder / "pre_train" / f"matrix_{graph}_{kind}.npy", np.nan_to_num(matrix[used]).astype(np.float32))


def main():
    options = json.loads(sys.argv[1])
    sys.path.insert(0, options["code"])
    import torch

    torch.Tensor.cuda = torch.nn.Module.cuda = lambda self, *arguments, **named: self
    import models
    import process_datasets
    from datasets import Dataset

    if not Path("../data", NAME).exists():
        process_datasets.prepare_dataset(f"../src_data/{NAME}", NAME)
    dataset = Dataset("../data", NAME)
    model = models.OTKGE_wn(dataset.get_shape(), options["dimension"] // 2, 1e-3)
    print(json.dumps(measure(dataset, model, options)))


def measure(dataset, model, options):
    """Time a share of an epoch and of an evaluation."""
    import optimizers
    import regularizers
    import torch

    adagrad = torch.optim.Adagrad(model.parameters(), lr=LEARNING_RATE)
    penalties = [regularizers.N3(REGULARIZATION)] * 2
    optimizer = optimizers.KBCOptimizer(model, penalties, adagrad, options["batch_size"], verbose=False)
    triples = torch.from_numpy(dataset.get_train().astype("int64"))
    triples = triples[torch.randperm(len(triples))]
    n_batches = max(1, round(options["share"] * len(triples) / options["batch_size"]))
    start = perf_counter()
    optimizer.epoch(triples[: n_batches * options["batch_size"]])
    trained = perf_counter()
    n_test = len(dataset.get_examples("test"))
    n_asked = min(n_test, max(EVALUATION_BATCH, round(options["share"] * n_test)))
    dataset.eval(model, "test", n_asked)
    ended = perf_counter()
    epoch = max(1.0, len(triples) / (n_batches * options["batch_size"])) * (trained - start)
    evaluation = np.ceil(n_test / EVALUATION_BATCH) / np.ceil(n_asked / EVALUATION_BATCH) * (ended - trained)
    return {"epoch": epoch, "evaluation": evaluation}


if __name__ == "__main__":
    main()
