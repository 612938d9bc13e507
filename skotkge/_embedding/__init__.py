"""Trained entity and relation tables: score functions, objectives, the training loop (Eq. 4-6)."""
