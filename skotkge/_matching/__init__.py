"""Transport between the entities of two graphs: which of them are the same thing."""

from .matcher import OTEntityMatcher
from .merging import merge
from .pairs import EntityPairs

__all__ = ["EntityPairs", "OTEntityMatcher", "merge"]
