"""Names that columns of triples go by, and the guess whether the first line of a file has them."""

import re

COLUMNS = ("head", "relation", "tail")

# Names of the three columns in files that people have: of this library, RDF, KGX, networkx, Neo4j (APOC, neo4j-admin),
# OpenKE and DGL. Upper and lower case are the same.
TRIOS = (
    COLUMNS,
    ("subject", "predicate", "object"),
    ("subject", "relation", "object"),
    ("head", "rel", "tail"),
    ("head_id", "relation_id", "tail_id"),
    ("head_entity", "relation", "tail_entity"),
    ("subject_id", "predicate_id", "object_id"),
    ("source", "relation", "target"),
    ("source", "type", "target"),
    ("source", "label", "target"),
    ("source", "predicate", "target"),
    ("source", "edge", "target"),
    ("src", "rel", "dst"),
    ("src", "relation", "dst"),
    ("src", "type", "dst"),
    ("from", "relation", "to"),
    ("from", "rel", "to"),
    ("from", "type", "to"),
    ("entity1", "relation", "entity2"),
    ("node1", "label", "node2"),
    ("node1", "relation", "node2"),
    ("_start", "_type", "_end"),
    (":start_id", ":type", ":end_id"),
)
SHORT_TRIOS = (("h", "r", "t"), ("s", "p", "o"), ("sub", "rel", "obj"), ("subj", "pred", "obj"))
# What people call each of the columns, alone or with a word after it, when all three are of these. Blanks, signs and
# case make no difference.
SYNONYMS = (
    "head h subject subj sub s source src from start e1 entity1 ent1 node1 n1",
    "relation relationship rel r predicate pred p property prop edge interaction type label link",
    "tail t object obj o target tgt dest destination dst to end e2 entity2 ent2 node2 n2",
)
NODE, EDGE = ("", "id", "name", "label", "entity", "node"), ("", "id", "name", "label", "type")
SYNONYMS = tuple(
    {word + end for word in words.split() for end in endings}
    for words, endings in zip(SYNONYMS, (NODE, EDGE, NODE), strict=True)
)
SIGNS = re.compile(r"[\W_]+")
# A first line of which no label occurs again is told of from this many rows on; such triples are common in small files.
SUSPICIOUS_FROM = 100


def find_named(names):
    """Return the three names that are those of head, relation and tail, as written, or None."""
    lower = [name.lower() if isinstance(name, str) else name for name in names]
    for trio in TRIOS:
        if all(lower.count(name) == 1 for name in trio):
            return tuple(names[lower.index(name)] for name in trio)
    plain = [SIGNS.sub("", name) if isinstance(name, str) else name for name in lower]
    found = [[name for name, word in zip(names, plain, strict=True) if word in known] for known in SYNONYMS]
    return tuple(name for (name,) in found) if all(len(part) == 1 for part in found) else None


def begins_with_names(first, rest):
    """Tell whether the first row of a file has names of columns.

    Parameters
    ----------
    first : list of str
        Fields of the first row.
    rest : list of list of str
        Some of the rows after it.

    Returns
    -------
    bool
        True if it has three names that are usual, or if words stand above whole numbers in all of the columns.
    """
    if find_named(first) is not None or tuple(map(str.lower, first)) in SHORT_TRIOS:
        return True
    numbers = len(rest) > 1 and all(len(row) >= len(first) and all(map(str.isdigit, row[:3])) for row in rest)
    return numbers and len(first) >= 3 and not any(map(str.isdigit, first)) and all(first)


def stands_alone(columns):
    """Tell whether no label of the first row of three columns occurs again, as those of a header do not."""
    if len(columns[0]) < SUSPICIOUS_FROM:
        return False
    head, relation, tail = (column[0] for column in columns)
    heads, relations, tails = columns
    return relations.count(relation) == 1 and all(
        heads.count(label) + tails.count(label) == 1 for label in (head, tail)
    )
