"""Everything that scores an answer, one file a kind, their weighted sum and how its weights are learned."""
