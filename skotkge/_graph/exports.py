"""Exports of graph databases and graph editors: Neo4j (APOC) and GraphML."""

import json
from xml.etree import ElementTree

from .files import brief, read_bytes, read_text, shortened


def neo4j_table_rows(names, table):
    """Sort the rows of an APOC CSV table into relationships and nodes.

    Returns
    -------
    columns : list of list of str
    data : dict
        Properties of the relationships.
    attributes : tuple of list
        Nodes, names and values of their properties.
    """
    places = dict(zip(names, table.columns, strict=True))
    ends = list(zip(places["_start"], places["_type"], places["_end"], strict=True))
    nodes = places.get("_id", [""] * len(ends))
    properties = [name for name in names if name not in ("_id", "_start", "_type", "_end")]
    rows, attributes = [], ([], [], [])
    for number, (triple, node) in enumerate(zip(ends, nodes, strict=True)):
        if "" not in triple:
            rows.append(number)
        elif not node or any(triple):
            raise ValueError(
                shortened(
                    f"{brief(table.path)}, line {table.lines[number]}: neither a node with _id nor a relationship with "
                    f"_start, _type and _end: {[node, *triple]!r}."
                )
            )
        else:
            told = [(name, places[name][number]) for name in properties if places[name][number]]
            _add(attributes, node, told)
    columns = [[places[name][row] for row in rows] for name in ("_start", "_type", "_end")]
    data = {name: [places[name][row] for row in rows] for name in properties}
    return columns, {name: column for name, column in data.items() if any(column)}, attributes


def _add(attributes, entity, pairs):
    for name, value in pairs:
        for column, part in zip(attributes, (entity, name, value), strict=True):
            column.append(part)


def read_neo4j(path):
    """Read the JSON file of ``apoc.export.json``: lines, an array, or one object with nodes and relationships.

    Returns
    -------
    columns : list of list of str
        Start, type and end; nodes are called by their ids.
    data : dict
        Properties of the relationships.
    attributes : tuple of list
        Nodes, names and values of their properties; the labels of a node under ``"_labels"``.

    Raises
    ------
    ValueError
        If the file is no such JSON; the message names the line.
    """
    relationships, attributes = [], ([], [], [])
    for line, item in _json_items(path):
        kind = item.get("type") if isinstance(item, dict) else None
        try:
            if kind == "node":
                labels = [("_labels", label) for label in item.get("labels", [])]
                _add(attributes, str(item["id"]), [*labels, *item.get("properties", {}).items()])
            elif kind == "relationship":
                ends = str(item["start"]["id"]), item["label"], str(item["end"]["id"])
                relationships.append((*ends, item.get("properties", {})))
            else:
                raise KeyError("type")
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                shortened(
                    f"{brief(path)}, line {line}: expected a node or relationship as apoc.export.json writes them, got "
                    f"{json.dumps(item)[:150]} ({error} is missing or of another kind)."
                )
            ) from error
    return *_columns(relationships), attributes


def _columns(relationships):
    """Return the columns of triples, and those of their properties."""
    columns = [[relationship[part] for relationship in relationships] for part in range(3)]
    names = dict.fromkeys(name for *_, properties in relationships for name in properties)
    return columns, {name: [properties.get(name) for *_, properties in relationships] for name in names}


def _json_items(path):
    """Yield the line and the content of each node and relationship."""
    text = read_text(path)
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":  # one object a line is no JSON as a whole
            message = f"{brief(path)}, line {error.lineno}, column {error.colno}: {error.msg}; expected JSON."
            raise ValueError(shortened(message)) from error
        yield from _json_lines(text, path)
        return
    if isinstance(whole, dict) and "nodes" in whole:
        nodes, edges = whole["nodes"], whole.get("rels", whole.get("relationships", []))
        for kind, items in (("node", nodes), ("relationship", edges)):
            items = items.values() if isinstance(items, dict) else items
            yield from ((1, {"type": kind, **item}) for item in items)
    else:
        yield from ((1, item) for item in (whole if isinstance(whole, list) else [whole]))


def _json_lines(text, path):
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except json.JSONDecodeError as error:
            message = f"{brief(path)}, line {number}, column {error.colno}: {error.msg}; expected JSON."
            raise ValueError(shortened(message)) from error


def read_graphml(path):
    """Read the edges and nodes of a GraphML file, as Neo4j, Gephi, yEd and networkx write them.

    The relation of an edge is its attribute ``label``, else its data ``label``, ``relation``, ``type``, ``predicate``
    or ``key``, else its ``id``, where networkx has the key.

    Returns
    -------
    columns, data, attributes
        As for `read_neo4j`.

    Raises
    ------
    ValueError
        If the file is no XML, or an edge tells no relation.
    """
    try:
        root = ElementTree.fromstring(read_bytes(path))
    except ElementTree.ParseError as error:
        line, column = error.position
        raise ValueError(f"{brief(path)}, line {line}, column {column + 1}: {error}; expected GraphML.") from error
    keys = {key.get("id"): key.get("attr.name", key.get("id")) for key in root.iter() if _tag(key) == "key"}
    edges, attributes = [], ([], [], [])
    for element in root.iter():
        if _tag(element) not in ("node", "edge"):
            continue
        told = {keys.get(d.get("key"), d.get("key")): d.text or "" for d in element if _tag(d) == "data"}
        if _tag(element) == "node":
            _add(attributes, element.get("id"), told.items())
            continue
        name = next((name for name in ("label", "relation", "type", "predicate", "key") if told.get(name)), None)
        relation = element.get("label") or told.pop(name, None) or element.get("id")
        if not relation:
            raise ValueError(
                f"{brief(path)}, edge {len(edges) + 1} from {element.get('source')!r} to {element.get('target')!r} "
                "tells no relation; give the edges an attribute 'label'."
            )
        edges.append((element.get("source"), relation, element.get("target"), told))
    return *_columns(edges), attributes


def _tag(element):
    return element.tag.rpartition("}")[2]
