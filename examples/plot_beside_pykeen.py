"""
Beside PyKEEN: seconds for the same work
========================================

How long does an epoch take, and ranking a test set? This example redraws what ``benchmarks/speed.py`` measured on one
machine, one library after the other, the same model and batches in both.
"""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

# %%
# The committed output has a table for each task: names, then seconds as median [quartiles].
folder = Path(globals().get("__file__", "plot_beside_pykeen.py")).resolve().parents[1]  # the gallery runs in examples/
text = (folder / "benchmarks" / "results" / "speed.txt").read_text(encoding="utf-8")
row = re.compile(r"│ (skotkge|PyKEEN\w*(?: \w+)?) +│ +([\d.]+) \[([\d.]+) - ([\d.]+)\]")
tasks, title = {}, None
for line in text.splitlines():
    if found := re.match(r" +(\w+): (epoch of cross-entropy|epoch with 64|filtered ranks)", line):
        title = f"{found[1]}, {found[2].replace('with 64', 'with negatives')}"
    elif (found := row.match(line)) and title:
        tasks.setdefault(title, {}).setdefault(found[1].split()[0], float(found[2]))
tasks = {task: seconds for task, seconds in tasks.items() if len(seconds) == 2}
for task, seconds in tasks.items():
    print(f"{task:40} skotkge {seconds['skotkge']:8.3f} s   PyKEEN {seconds['PyKEEN']:8.3f} s")

# %%
# Seconds on a logarithmic scale, since the graphs differ in size by two orders.
figure, ax = plt.subplots(figsize=(8, 0.6 + 0.45 * len(tasks)), layout="constrained")
positions = np.arange(len(tasks))
for shift, name, style in [(-0.2, "skotkge", dict(color="C0")), (0.2, "PyKEEN", dict(color="0.8", hatch="///"))]:
    ax.barh(positions + shift, [task[name] for task in tasks.values()], height=0.38, edgecolor="k", label=name, **style)
ax.set_yticks(positions, tasks)
ax.invert_yaxis()
ax.set(xscale="log", xlabel="seconds, median")
ax.legend()

# %%
# Times of one machine are no promise for another; run the benchmark on yours.
