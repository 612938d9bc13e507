"""Recorded answers of fitted models, so that a change of the code that changes an answer is seen."""
