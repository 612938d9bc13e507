"""Tables of what is known about entities as modality matrices: numbers, categories, dates, texts, tags and pictures."""

from ._table_encoder import TableEncoder, encode_table

__all__ = ["TableEncoder", "encode_table"]
