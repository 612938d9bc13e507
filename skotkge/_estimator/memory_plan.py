"""The memory that a fit will take, told before it begins, and refused where there is not so much."""

import shutil
import tempfile
from pathlib import Path

from rich.console import Console

from .._embedding.trainer import LARGEST_COPY
from .._spaces import FUSED, MODALITIES, STRUCTURE

BYTES_OF_FLOAT, BYTES_OF_ID = 4, 8
# Arrays of one number for each triple and direction, at once, while triples are sorted into queries with their answers.
ARRAYS_OF_TRIPLES = 16
# Numbers that an optimizer keeps for each trained one.
STATES = {"adagrad": 1, "adam": 2, "rowwise_adagrad": 0}


def plan_memory(X, width, kinds, options, verbose=0):
    """Say what a fit will take, in memory and on disk, and refuse one that will not fit.

    Parameters
    ----------
    X : MultimodalTriples
    width : int
        Columns of the tables.
    kinds : sequence
        Of evidence.
    options : FitOptions
    verbose : int
        Above 0 the prediction is printed.

    Raises
    ------
    MemoryError
        If less is available.
    """
    n_spaces = number_of_spaces(X, kinds)
    sizes = X.n_entities, width, len(X), n_spaces
    of_fit = options.training, options.early_stopping, X.fusion is not None
    peak, available = predicted_peak(*sizes, *of_fit), available_memory()
    if verbose:
        left = "" if available is None else f"; {in_words(available)} are available"
        table = in_words(X.n_entities * width * BYTES_OF_FLOAT)
        tables = "a table" if n_spaces == 1 else f"{n_spaces} tables"
        Console().print(f"about {in_words(peak)} of memory for {tables} of {table}{left}", highlight=False)
    if options.training.entity_table == "disk":
        plan_disk(X.n_entities * width * BYTES_OF_FLOAT, options, verbose)
    check_memory(peak, options.training, options.early_stopping, available)


def plan_disk(table, options, verbose):
    """Say what tables on disk will take, and refuse them where the folder of temporary files has less.

    Parameters
    ----------
    table : int
        Bytes of the table.
    options : FitOptions
    verbose : int

    Raises
    ------
    MemoryError
    """
    folder = tempfile.gettempdir()
    needed = table * (1 + _n_copies(table, options.early_stopping))
    free = shutil.disk_usage(folder).free
    if verbose:
        Console().print(f"up to {in_words(needed)} on disk in {folder}; {in_words(free)} are free", highlight=False)
    if needed > free:
        raise MemoryError(
            f'entity_table="disk" needs up to {in_words(needed)} in {folder}, and {in_words(free)} are free; set the '
            "environment variable TMPDIR to a folder on a larger disk before Python starts, or take a smaller "
            "embedding_dim, early_stopping=False or refit=False."
        )


def _n_copies(table, early_stopping):
    """Tables that training keeps of an epoch before."""
    return 1 if early_stopping or table <= LARGEST_COPY else 0


def number_of_spaces(X, kinds):
    """How many spaces are trained; at least one for the tables of other evidence."""
    if X.fusion is None:
        return 1
    modalities = len(X.fusion.maps) if MODALITIES in kinds else 0
    return max(1, modalities + (STRUCTURE in kinds) + (FUSED in kinds))


def predicted_peak(n_entities, width, n_triples, n_spaces, options, early_stopping, is_fused=False):
    """Bytes at the peak of a fit beyond those of its data, by the largest arrays alone.

    In training a space has its table, the state of the optimizer, the gradient unless batches ask for few rows, and a
    copy of the best epoch; that of the last sound epoch where none is judged, unless it is large. The entities of a
    space of the structure alone are that table itself; with modalities they are another one. Triples are sorted once.
    Tables on disk take no memory that the system could not have back; the state of row-wise Adagrad and the weights of
    rows do.

    Parameters
    ----------
    n_entities, width, n_triples, n_spaces : int
        Of the graph, of the tables, and how many spaces are trained one after the other.
    options : TrainingOptions
    early_stopping : bool
    is_fused : bool, default=False
        Whether there are modalities.

    Returns
    -------
    int
    """
    table = n_entities * width * BYTES_OF_FLOAT
    of_triples = 2 * n_triples * BYTES_OF_ID * ARRAYS_OF_TRIPLES
    if options.entity_table == "disk":
        return 2 * n_entities * BYTES_OF_FLOAT + of_triples
    # The gradient has gone when the entities of a space with modalities are made at the end.
    beside = 1 if is_fused or not options.objective.needs_few_rows else 0
    in_training = table * (1 + STATES[options.optimizer] + beside + _n_copies(table, early_stopping))
    trained = table * (2 if is_fused else 1)
    return trained * (n_spaces - 1) + in_training + of_triples


def available_memory():
    """Bytes that this process may still take, or None where the system does not tell."""
    try:
        told = Path("/proc/meminfo").read_text()
    except OSError:
        return None
    free = next((1024 * int(line.split()[1]) for line in told.splitlines() if line.startswith("MemAvailable:")), None)
    limits = [limit for limit in (free, _left_in_group()) if limit is not None]
    return min(limits, default=None)


def _left_in_group():
    """What a container leaves, by version 2 of control groups."""
    try:
        most, used = (Path("/sys/fs/cgroup", name).read_text().strip() for name in ("memory.max", "memory.current"))
    except OSError:
        return None
    return None if most == "max" else max(0, int(most) - int(used))


def check_memory(peak, options, early_stopping, available):
    """Raise MemoryError, with what would take less, if a fit will not fit."""
    if available is None or peak <= available:
        return
    remedies = []
    if not options.objective.needs_few_rows:
        remedies.append("objective=CrossEntropy(n_sampled=1024)")
    if options.optimizer != "rowwise_adagrad":
        remedies.append('optimizer="rowwise_adagrad"')
    if early_stopping:
        remedies.append("early_stopping=False")
    if options.entity_table == "memory" and options.objective.needs_few_rows:
        remedies.append('entity_table="disk" (on a CPU, in one process, without modalities)')
    remedies += ['fewer spaces (evidence=("structure",))', "a smaller embedding_dim", "several processes (torchrun)"]
    raise MemoryError(
        f"the fit needs about {in_words(peak)} of memory, and {in_words(available)} are available; less takes "
        f"{', '.join(remedies)}."
    )


def in_words(n_bytes):
    """Return a number of bytes with a unit, such as "1.5 GB"."""
    units = {"GB": 1e9, "MB": 1e6, "kB": 1e3}
    name = next((name for name, unit in units.items() if n_bytes >= unit), "kB")
    return f"{n_bytes / units[name]:.3g} {name}"
