"""The commands of ``python -m skotkge``, one module each."""
