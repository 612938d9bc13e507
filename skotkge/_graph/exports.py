"""Exports of graph databases and graph editors: Neo4j (APOC) and GraphML."""

import json
import re
from xml.etree import ElementTree
from xml.parsers import expat

from .._utils.messages import brief, cut, tell
from .files import read_bytes, read_text
from .headers import SIGNS
from .notices import tell_of_isolated

# What the relation of an edge of GraphML is called, without blanks and signs and in lower case.
RELATIONS = ("label", "edgelabel", "relation", "relationtype", "type", "predicate", "key")


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
                cut(
                    f"{brief(table.path)}, line {table.lines[number]}: neither a node with _id nor a relationship with "
                    f"_start, _type and _end: {[node, *triple]!r}."
                )
            )
        else:
            told = [(name, places[name][number]) for name in properties if places[name][number]]
            _add(attributes, node, told)
    columns = [[places[name][row] for row in rows] for name in ("_start", "_type", "_end")]
    tell_of_isolated(filter(None, nodes), columns, brief(table.path))
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
    relationships, nodes, attributes = [], [], ([], [], [])
    for line, item in _json_items(path):
        kind = item.get("type") if isinstance(item, dict) else None
        try:
            if kind == "node":
                labels = [("_labels", label) for label in item.get("labels", [])]
                nodes.append(_label(item, "id"))
                _add(attributes, nodes[-1], [*labels, *item.get("properties", {}).items()])
            elif kind == "relationship":
                ends = _label(item["start"], "id"), _label(item, "label"), _label(item["end"], "id")
                relationships.append((*ends, item.get("properties", {})))
            else:
                raise KeyError("type")
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                cut(
                    f"{brief(path)}, line {line}: expected a node or relationship as apoc.export.json writes them, got "
                    f"{json.dumps(item)[:150]} ({error} is missing, empty or of another kind)."
                )
            ) from error
    columns, data = _columns(relationships)
    tell_of_isolated(nodes, columns, brief(path))
    return columns, data, attributes


def _label(item, name):
    if item[name] in (None, ""):
        raise KeyError(name)
    return str(item[name])


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
            raise ValueError(cut(message)) from error
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
            raise ValueError(cut(message)) from error


def read_graphml(path):
    """Read the edges and nodes of a GraphML file, as Neo4j, Gephi, yEd and networkx write them.

    The relation of an edge is its attribute ``label``, else its data ``label``, ``Edge Label`` (of Gephi, and the text
    of yEd), ``relation``, ``type``, ``predicate`` or ``key``, else its ``id``, where networkx has the key.

    Returns
    -------
    columns, data, attributes
        As for `read_neo4j`.

    Raises
    ------
    ValueError
        If the file is no GraphML, an edge lacks an end, or tells no relation.

    Warns
    -----
    UserWarning
        If edges have no direction, or nodes no edges.
    """
    found = _elements_with_lines(path)
    keys = {key.get("id"): key for _, key in found if key.tag == "key"}
    edges, attributes, unnamed, n_undirected, undirected = [], ([], [], []), [], 0, False
    for line, element in found:
        if element.tag == "graph":
            undirected = element.get("edgedefault") == "undirected"
        elif element.tag == "node":
            node = _told(element, "id", line, path)
            _add(attributes, node, _data_of(element, keys).items())
        elif element.tag == "edge":
            ends = _told(element, "source", line, path), _told(element, "target", line, path)
            told = _data_of(element, keys)
            named = {SIGNS.sub("", name.lower()): name for name, value in told.items() if value}
            name = next((named[name] for name in RELATIONS if name in named), None)
            relation = element.get("label") or told.pop(name, None)
            if not relation:
                unnamed.append((line, element))
            n_undirected += element.get("directed", "false" if undirected else "true") == "false"
            edges.append((ends[0], relation or element.get("id"), ends[1], told))
    ids = [element.get("id") for _, element in unnamed]
    if unnamed and (len(unnamed) < len(edges) or not _are_relations(ids)):
        line, element = unnamed[0]
        raise ValueError(
            cut(
                f"{brief(path)}, line {line}: the edge from {element.get('source')!r} to {element.get('target')!r} "
                "tells no relation; give the edges an attribute 'label'."
            )
        )
    if n_undirected:
        tell(
            f"{brief(path)}: {n_undirected} edges have no direction; each is one triple, from its source to its target."
        )
    columns, data = _columns(edges)
    tell_of_isolated([element.get("id") for _, element in found if element.tag == "node"], columns, brief(path))
    return columns, data, attributes


def _elements_with_lines(path):
    """Return the elements of a GraphML file in order, their tags without namespace, each with the line of its start."""
    builder, parser, found = ElementTree.TreeBuilder(), expat.ParserCreate(namespace_separator="}"), []

    def start(tag, attributes):
        found.append((parser.CurrentLineNumber, builder.start(tag.rpartition("}")[2], attributes)))

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda tag: builder.end(tag.rpartition("}")[2])
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(read_bytes(path), True)
    except expat.ExpatError as error:
        place = f"line {error.lineno}, column {error.offset + 1}"
        raise ValueError(f"{brief(path)}, {place}: {error}; expected GraphML.") from error
    builder.close()
    line, root = found[0]
    if root.tag != "graphml":
        raise ValueError(cut(f"{brief(path)}, line {line}: begins with <{root.tag}>, expected GraphML."))
    return found


def _told(element, attribute, line, path):
    """Return an end of an edge, or the id of a node."""
    value = element.get(attribute)
    if not value:
        what = "is empty" if value == "" else "is missing"
        raise ValueError(f"{brief(path)}, line {line}: the {attribute} of the {element.tag} {what}.")
    return value


def _data_of(element, keys):
    """Return what a node or edge has by name: defaults of keys, data, and the text in the drawings of yEd."""
    told = {}
    for key in keys.values():
        default = key.findtext("default")
        if default and key.get("for", "all") in (element.tag, "all"):
            told[key.get("attr.name", key.get("id"))] = default
    for data in element.iterfind("data"):
        key = keys.get(data.get("key"), data)
        if len(data) == 0:
            told[key.get("attr.name", data.get("key"))] = data.text or ""
        for drawn in data.iter():
            if drawn.tag in ("EdgeLabel", "NodeLabel") and (drawn.text or "").strip():
                told.setdefault(drawn.tag, drawn.text.strip())
    return told


def _are_relations(ids):
    """Tell whether ids of edges are relations, as keys of networkx are: they repeat, or have no numbers."""
    if not all(ids) or all(map(str.isdigit, ids)):
        return False
    return len(set(ids)) < len(ids) or not any(re.search(r"\d", name) for name in ids)
