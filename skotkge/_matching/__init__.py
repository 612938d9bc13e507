"""Transport between the entities of two graphs: which of them are the same thing."""
