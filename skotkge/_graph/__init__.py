"""Labels, ids and matrices: reading triples, naming entities by ids, known answers. No torch, no model."""
