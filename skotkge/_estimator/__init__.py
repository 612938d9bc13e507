"""The estimator over all rooms: labels to ids and back, held-out triples, one fit."""
