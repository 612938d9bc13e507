"""Multi-modal knowledge graphs: one comes with the package, the others are read from a folder."""

from ._dbp15k import load_dbp15k
from ._emoji import emoji_images, load_emoji
from ._external import load_codex_s, load_fbimg, load_hanzi, load_wn9img
from ._graph import GraphBunch

__all__ = [
    "GraphBunch",
    "emoji_images",
    "load_codex_s",
    "load_dbp15k",
    "load_emoji",
    "load_fbimg",
    "load_hanzi",
    "load_wn9img",
]
