"""Small helpers that know nothing of graphs or models: memory, messages, files, progress."""
