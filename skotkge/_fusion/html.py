"""What a notebook shows of a fitted fusion: its spaces, their weights, and how far each is from the structure."""

from math import isnan

from .._utils.html import bar, table


def caption_of_fusion(fusion):
    """Return a line with the number of entities and the spaces of a fitted fusion."""
    return f"{len(fusion.structure):,} entities: {', '.join(fusion.weights)}"


def html_of_fusion(fusion):
    """Return a table of the spaces of a fitted fusion."""
    rows = []
    for name, weight in fusion.weights.items():
        distance = fusion.distances.get(name, float("nan"))
        rows.append([name, float(weight), bar(weight), "" if isnan(distance) else float(distance)])
    title = f"spaces of {len(fusion.structure):,} entities"
    return table(title, ["", "weight", "", f"W_{fusion.options.p} to the structure"], rows)
