"""Graphs by name, seconds side by side, ratios with their spread, and peak memory."""

import ctypes
import gc
import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path


def graph_of(name, folder=None):
    """Return a graph of `skotkge.datasets` with its splits; `folder` has those that are not bundled."""
    from skotkge import datasets

    return datasets.load_emoji() if name == "emoji" else getattr(datasets, f"load_{name}")(folder)


def alternate(competitors, repeats, told):
    """Run each competitor in turn, `repeats` times.

    Parameters
    ----------
    competitors : dict of str to callable
        Each returns the seconds that count.
    repeats : int
    told : str
        What is measured, for the progress on stderr.

    Returns
    -------
    dict of str to list of float
    """
    seconds = {name: [] for name in competitors}
    for repeat in range(repeats):
        for name, run in competitors.items():
            seconds[name].append(run())
            progress = f"{told}, repeat {repeat + 1} of {repeats}, {name}: {seconds[name][-1]:.3g} s"
            print(progress, file=sys.stderr, flush=True)
    return seconds


def ratios(numerators, denominators):
    """Ratio within each repeat."""
    return [numerator / denominator for numerator, denominator in zip(numerators, denominators, strict=True)]


def spread(values, scale=1.0):
    """Median, and smallest and largest where there are several."""
    middle, least, most = (scale * value for value in (statistics.median(values), min(values), max(values)))
    return digits(middle) if len(values) == 1 else f"{digits(middle)} [{digits(least)} - {digits(most)}]"


def digits(value):
    """Three significant digits, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def in_fresh_process(function, *arguments):
    """Result of a module-level function in a Python process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def peak_memory(function):
    """Call a function; return its result and the peak of the resident set above what it was before, in MiB.

    None stands for the peak on a system other than Linux. `ru_maxrss` would not do: it never falls, so that whatever
    took more memory before would hide the call, the process that started this one included.
    """
    if not sys.platform.startswith("linux"):
        return function(), None
    gc.collect()
    getattr(ctypes.CDLL(None), "malloc_trim", lambda kept: None)(0)  # freed memory goes back to the system
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _resident("VmRSS")
    result = function()
    return result, _resident("VmHWM") - before


def _resident(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":")) / 1024
