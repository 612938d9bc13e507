"""
Ablations: text, image, fusion and rules
========================================

Is the text needed? The image? The fusion? This example redraws the ablations that ``benchmarks/paper_tables.py``
measured on two graphs, each model tuned on the validation triples and fitted with several seeds.
"""

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

# %%
# The committed results have a line for each fit.
folder = Path(globals().get("__file__", "plot_evidence.py")).resolve().parents[1]  # the gallery runs in examples/
results = folder / "benchmarks" / "results" / "paper_tables.jsonl"
fits = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
shown = {
    "rules": "rules, nothing trained",
    "ComplEx": "structure alone",
    "text alone": "text alone",
    "image alone": "image alone",
    "OTKGE_2": "one fused space (the paper's)",
    "all spaces": "all spaces",
    "all spaces and rules": "all spaces and rules",
    "all evidence": "all evidence (the default)",
}

# %%
# Means of five seeds on emoji and three on hanzi, but one of rules, which draw nothing, and their deviations.
figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
for ax, dataset in zip(axes, ["emoji", "hanzi"], strict=True):
    for position, row in enumerate(shown):
        mrr = [fit["mrr"] for fit in fits if fit["dataset"] == dataset and fit["row"] == row]
        bar = ax.barh(position, np.mean(mrr), xerr=np.std(mrr), color="C0" if "all" in row else "0.75", edgecolor="k")
        ax.bar_label(bar, fmt="%.3f", padding=4)
    ax.set(title=dataset, xlabel="filtered MRR on test triples", xlim=(0, 1.0))
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_yticks(range(len(shown)), shown.values())
axes[0].invert_yaxis()

# %%
# On Chinese characters the image of a character tells more than its definition and more than the triples, and one
# fused space loses part of that; scored apart and weighted, all kinds together are better than the best alone.
#
# What training gives away
# ------------------------
# On WN9-IMG nine test triples in ten have their two entities linked in training: there rules are as good as a model.
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
rows = {row: shown[row] for row in ("rules", "ComplEx", "all spaces", "all evidence")}
for shift, part, style in [(-0.2, "leaked", dict(color="0.85", hatch="///")), (0.2, "unleaked", dict(color="C0"))]:
    mrr = [np.mean([fit[part] for fit in fits if (fit["dataset"], fit["row"]) == ("wn9img", row)]) for row in rows]
    bar = ax.barh(np.arange(len(rows)) + shift, mrr, height=0.38, edgecolor="k", label=part, **style)
    ax.bar_label(bar, fmt="%.3f", padding=4)
ax.set_yticks(range(len(rows)), rows.values())
ax.set(title="WN9-IMG, test triples apart", xlabel="filtered MRR", xlim=(0, 1.2))
ax.invert_yaxis()
ax.legend(loc="lower right")
