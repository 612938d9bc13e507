"""Eq. 1-3 of the OTKGE paper: modality matrices moved into the structural space of a graph and fused there."""
