"""
What a model takes: bytes and seconds
=====================================

Before a larger machine is ordered: how much memory a fit and its answers need, and how long a model takes to save and
to load. The memory is a formula, in bytes for n entities and d dimensions; the seconds are redrawn from the committed
output of ``benchmarks/reliability.py``.
"""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

# %%
# Memory
# ------
# One space is trained after the other; each needs ten tables in single precision at its peak. Answers need
# scikit-learn's ``working_memory``, however many questions there are; see :doc:`/user_guide/reliability`.
entities, width, working_memory = np.geomspace(1e3, 1e7, 30), 200, 2**30
needs = {
    "fit, one space": 24 * 2**20 + 300 * 4 * entities + 40 * entities * width,
    "complete, rank": working_memory + 8 * 2**20 + 400 * 4 * entities,
    "transform of matrices": 24 * 2**20 + 24 * entities * width,
}
figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for (step, n_bytes), style in zip(needs.items(), ("-", "--", ":"), strict=True):
    ax.loglog(entities, n_bytes / 2**30, style, label=step)
ax.set(xlabel="entities, with three triples each", ylabel="GiB", title=f"Memory beside the data, {width} dimensions")
ax.legend(frameon=False)

# %%
# Files
# -----
# A million entities, with their labels and two million triples. Our figures have the checksums and the flushing to the
# disk.
folder = Path(globals().get("__file__", "plot_what_it_takes.py")).resolve().parents[1]  # the gallery runs in examples/
text = (folder / "benchmarks" / "results" / "reliability.txt").read_text(encoding="utf-8")
found = {
    int(line[1]): {name.lstrip(", "): float(value) for name, value in re.findall(r"([a-z., ]+?) ([\d.]+) s", line[2])}
    for line in re.finditer(r"1,000,000 entities, (\d+) columns.*:\n  by the clock: (.+)", text)
}
figure, axes = plt.subplots(1, 2, figsize=(7, 3), layout="constrained", sharey=True)
for ax, (step, plain) in zip(axes, (("save", "joblib.dump"), ("load", "joblib.load")), strict=True):
    for number, (width, seconds) in enumerate(found.items()):
        names = [plain, f"{step}, .skops", f"{step}, .joblib"]
        positions, style = np.arange(3) + 0.4 * number - 0.2, dict(color=["C0", "lightgrey"][number], edgecolor="black")
        drawn = ax.bar(positions, [seconds[name] for name in names], 0.38, label=f"{width} dimensions", **style)
        ax.bar_label(drawn, fmt="%.2f")
    ax.set_xticks(range(3), names)
    ax.set(title=f"{step.capitalize()} a model", ylabel="seconds" if step == "save" else "")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].margins(y=0.3)
axes[0].legend(frameon=False)
