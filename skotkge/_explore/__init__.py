"""A page to explore a graph and its model; `server` and the pages need the extra "explore", the rest does not."""
