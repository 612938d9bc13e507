"""Files of triples: headers, columns, holes, line ends, compressions, folders, RDF and exports."""

import re
import warnings

import numpy as np
import pytest
from table_files import COMPRESSIONS

from skotkge import MultimodalTriples
from skotkge.__main__ import main

ROWS = [["a", "r", "b"], ["007", "r", "NA"], ["nan", "q", "a"]]


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def table(rows, sep="\t"):
    return "".join(sep.join(row) + "\n" for row in rows)


def told(call):
    """What a call raises or warns of, in words."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            call()
        except (ValueError, TypeError, ImportError) as error:
            return str(error)
    return " ".join(str(warning.message) for warning in caught)


@pytest.mark.parametrize("suffix", COMPRESSIONS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_compressed_files_and_encodings(tmp_path, suffix, encoding):
    path = tmp_path / f"graph.tsv{suffix}"
    path.write_bytes(COMPRESSIONS[suffix](table(ROWS).encode(encoding)))
    assert MultimodalTriples.from_tsv(path).labels.tolist() == ROWS
    unnamed = path.rename(tmp_path / "graph")
    assert MultimodalTriples.from_tsv(unnamed).labels.tolist() == ROWS
    for cut in (5, 30) if suffix else ():
        path.write_bytes(unnamed.read_bytes()[:-cut])
        assert "is no complete" in told(lambda: MultimodalTriples.from_tsv(path)), cut


def test_utf16_without_mark_and_archives_of_several_files_are_refused(tmp_path):
    import zipfile

    path = write(tmp_path / "graph.tsv", table(ROWS), "utf-16-le")
    assert "line 1: looks like UTF-16" in told(lambda: MultimodalTriples.from_tsv(path))
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("train.tsv", table(ROWS))
        archive.writestr("test.tsv", table(ROWS))
    assert "holds 2 files, expected one" in told(lambda: MultimodalTriples.from_tsv(tmp_path / "two.zip"))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_the_encoding_without_mark_is_named(tmp_path, encoding):
    path = write(tmp_path / "graph.tsv", table(ROWS), encoding)
    name = encoding.upper().replace("-LE", "LE").replace("-BE", "BE")
    assert f"looks like {name} without" in told(lambda: MultimodalTriples.from_tsv(path))
    write(path, table(ROWS), "utf-32")
    assert "looks like UTF-32; convert the file" in told(lambda: MultimodalTriples.from_tsv(path))


def test_archives_and_open_files_are_refused_with_the_remedy(tmp_path):
    import io
    import tarfile

    path = write(tmp_path / "graph.tsv", table(ROWS))
    with tarfile.open(tmp_path / "graph.tar.gz", "w:gz") as archive:
        archive.add(path, "graph.tsv")
    assert "is a tar archive; unpack it" in told(lambda: MultimodalTriples.from_tsv(tmp_path / "graph.tar.gz"))
    data = bytearray(COMPRESSIONS[".zip"](table(ROWS).encode()))
    for header, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(header) + place] |= 1
    (tmp_path / "graph.zip").write_bytes(data)
    assert "is encrypted; unpack it" in told(lambda: MultimodalTriples.from_tsv(tmp_path / "graph.zip"))
    for file in (io.StringIO(table(ROWS)), io.BytesIO(b"")):
        for given in (file, [file]):
            assert "an open file; pass the path" in told(lambda given=given: MultimodalTriples.from_tsv(given))
        assert "pass the path of the file to from_tsv" in told(lambda file=file: MultimodalTriples(file))


def test_columns_may_be_numbers_of_numpy(tmp_path):
    path = write(tmp_path / "graph.tsv", table(ROWS))
    assert MultimodalTriples.from_tsv(path, columns=np.arange(3), header=False).labels.tolist() == ROWS


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("other", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_mixed_line_ends(tmp_path, end, other, quote):
    path = write(tmp_path / "mixed.csv", f"{quote}a{quote},r,b{end}{end}b,r,c{other}c,r,a{end}")
    X = MultimodalTriples.from_csv(path)
    assert X.entities.tolist() == ["a", "b", "c"]
    assert len(X) == 3


@pytest.mark.parametrize(
    ("sep", "read"), [(",", "from_csv"), (";", "from_csv"), ("|", "from_tsv"), (r"\s+", "from_tsv")]
)
def test_separators(tmp_path, sep, read):
    path = write(tmp_path / "graph.txt", table(ROWS, "  " if sep == r"\s+" else sep))
    assert getattr(MultimodalTriples, read)(path, sep=sep).labels.tolist() == ROWS


def test_a_wrong_separator_is_told_with_the_right_one(tmp_path):
    path = write(tmp_path / "graph.csv", table(ROWS, ";"))
    assert "line 1: 1 fields separated by ',', expected 3" in told(lambda: MultimodalTriples.from_csv(path))
    assert "With sep=';' the line has 3 fields" in told(lambda: MultimodalTriples.from_csv(path))


def test_words_in_quotes_between_white_space(tmp_path):
    path = write(tmp_path / "graph.txt", '"a b"  r "say ""x"""\n\nc r d\n')
    X = MultimodalTriples.from_csv(path, sep=r"\s+")
    assert X.labels.tolist() == [["a b", "r", 'say "x"'], ["c", "r", "d"]]
    path = write(tmp_path / "graph.txt", 'a r b\n"a r b\n')
    assert "line 2: a quote that does not close" in told(lambda: MultimodalTriples.from_csv(path, sep=r"\s+"))


@pytest.mark.parametrize(
    "names",
    [
        "head,relation,tail",
        "Subject,Predicate,Object",
        "source,relation,target",
        "h,r,t",
        ":START_ID,:TYPE,:END_ID",
        "Head ID,Edge Label,Tail-ID",
    ],
)
def test_usual_names_are_a_header_with_a_notice(tmp_path, names):
    path = write(tmp_path / "graph.csv", f"{names}\na,r,b\n")
    with pytest.warns(UserWarning, match=f"graph.csv: line 1, {names}, is taken for the names of columns"):
        X = MultimodalTriples.from_csv(path)
    assert X.labels.tolist() == [["a", "r", "b"]]


def test_words_above_numbers_are_a_header(tmp_path):
    path = write(tmp_path / "graph.csv", "person,does,thing\n0,0,1\n1,0,2\n")
    with pytest.warns(UserWarning, match="is taken for the names"):
        assert len(MultimodalTriples.from_csv(path)) == 2


def test_a_first_row_of_labels_that_never_occur_again_is_told(tmp_path):
    rows = [["person", "does", "thing"], *([f"e{n}", "r", f"e{n + 1}"] for n in range(200))]
    path = write(tmp_path / "graph.tsv", table(rows))
    with pytest.warns(UserWarning, match="begins with person,does,thing, read as a triple"):
        assert len(MultimodalTriples.from_tsv(path)) == 201
    assert told(lambda: MultimodalTriples.from_tsv(path, header=False)) == ""
    assert told(lambda: MultimodalTriples.from_tsv(write(path, table(rows[1:])))) == ""


def test_columns_by_name_by_number_and_further_ones(tmp_path):
    text = "weight,to,how,from\n0.5,b,r,a\n,c,r,b\n"
    path = write(tmp_path / "graph.csv", text)
    X = MultimodalTriples.from_csv(path, columns=("from", "how", "to"))
    assert X.labels.tolist() == [["a", "r", "b"], ["b", "r", "c"]]
    assert {name: column.tolist() for name, column in X.triple_data.items()} == {"weight": ["0.5", ""]}
    assert X[1:].triple_data["weight"].tolist() == [""]
    assert not MultimodalTriples.from_csv(path, columns=("from", "how", "to"), data=()).triple_data
    Y = MultimodalTriples.from_csv(path, columns=(3, 2, 1), header=True)
    assert Y.labels.tolist() == X.labels.tolist()
    path = write(tmp_path / "graph.csv", text.partition("\n")[2])
    assert MultimodalTriples.from_csv(path, columns=(3, 2, 1)).triple_data[0].tolist() == ["0.5", ""]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(columns=("a", "b")), "columns=.*expected three names"),
        (dict(columns=(0, 1, -1)), "columns=.*expected three names"),
        (dict(columns=(0, 1, 7)), r"line 1: 3 fields .*expected 8"),
        (dict(columns=("a", "r", "b"), header=False), "are names, but header=False"),
        (dict(empty="skip"), "empty='skip', expected 'error' or 'drop'"),
        (dict(header="first"), "header='first', expected True, False or None"),
        (dict(data=["weight"]), "has no further column 'weight'"),
        (dict(sep="::"), "sep='::', expected the one character"),
    ],
)
def test_wrong_arguments(tmp_path, arguments, words):
    path = write(tmp_path / "graph.csv", table(ROWS, ","))
    assert re.search(words, told(lambda: MultimodalTriples.from_csv(path, **arguments)))


APOC = (
    '"_id","_labels","name","_start","_end","_type"\n"0",":Person","Ann",,,\n"1",":Person","Bob",,,\n'
    '"2",":City","Oslo",,,\n,,,"0","1","KNOWS"\n,,,"0","2","LIVES_IN"\n,,,"1","2","LIVES_IN"\n'
)
APOC_TRIPLES = [["0", "KNOWS", "1"], ["0", "LIVES_IN", "2"], ["1", "LIVES_IN", "2"]]


def test_empty_labels_are_refused_with_the_line_or_dropped_with_their_number(tmp_path):
    path = write(tmp_path / "apoc.csv", APOC)
    columns = ("_start", "_type", "_end")
    with pytest.raises(ValueError, match=r"apoc.csv, line 2, column 4 '_start': the head is empty; 3 of 6 rows"):
        MultimodalTriples.from_csv(path, columns=columns)
    with pytest.warns(UserWarning, match=r"6 rows in, 3 kept, 3 refused; the first, line 2"):
        X = MultimodalTriples.from_csv(path, columns=columns, empty="drop")
    assert X.labels.tolist() == APOC_TRIPLES
    assert MultimodalTriples([("", "r", "b")]).labels.tolist() == [["", "r", "b"]]


def test_messages_stay_short(tmp_path):
    for text in (
        "x" * 10000 + "\tr\n",
        f"a\tr\tb\n{'y' * 9000}\t\tb\n",
        "\t".join(["z"] * 5000) + "\n",
        "\t".join(["z" * 30] * 3000),
    ):
        message = told(lambda text=text: MultimodalTriples.from_tsv(write(tmp_path / ("n" * 200), text)))
        assert 0 < len(message) <= 500
        assert "line " in message


def test_neo4j_exports(tmp_path):
    X = MultimodalTriples.from_neo4j(write(tmp_path / "apoc.csv", APOC))
    assert X.labels.tolist() == APOC_TRIPLES
    assert X.attributes.query("attribute == 'name'").value.tolist() == ["Ann", "Bob", "Oslo"]
    node = '{"type":"node","id":"%d","labels":["Person"],"properties":{"name":"n%d","age":%d}}'
    edge = '{"type":"relationship","label":"KNOWS","properties":{"since":1993},"start":{"id":"0"},"end":{"id":"1"}}'
    lines = [node % (0, 0, 7), node % (1, 1, 8), edge]
    whole = f'{{"nodes":[{lines[0]},{lines[1]}],"rels":[{lines[2]}]}}'
    for text in ("\n".join(lines), f"[{','.join(lines)}]", whole):
        X = MultimodalTriples.from_neo4j(write(tmp_path / "apoc.json", text))
        assert X.labels.tolist() == [["0", "KNOWS", "1"]]
        assert X.triple_data["since"].tolist() == [1993]
        assert X.attributes.query("attribute == 'age'").value.tolist() == [7, 8]
    for text in ("\n".join([*lines, "{"]), "\n".join([*lines, '{"type":"nod"}'])):
        assert "line 4" in told(lambda text=text: MultimodalTriples.from_neo4j(write(tmp_path / "apoc.json", text)))


def test_graphml_of_networkx_and_neo4j(tmp_path):
    networkx = pytest.importorskip("networkx")
    graph = networkx.MultiDiGraph()
    graph.add_node("a", age=7)
    graph.add_edge("a", "b", key="r", weight=2)
    networkx.write_graphml(graph, tmp_path / "graph.graphml")
    X = MultimodalTriples.from_graphml(tmp_path / "graph.graphml")
    assert X.labels.tolist() == [["a", "r", "b"]]
    assert X.attributes.value.tolist() == ["7"]
    text = (
        '<graphml><graph><node id="n0"/><node id="n1"/><edge source="n0" target="n1" label="KNOWS"/></graph></graphml>'
    )
    X = MultimodalTriples.from_graphml(write(tmp_path / "neo.graphml", text))
    assert X.labels.tolist() == [["n0", "KNOWS", "n1"]]
    assert "line 1" in told(lambda: MultimodalTriples.from_graphml(write(tmp_path / "no.graphml", "<a")))


GRAPHML = (
    '<graphml xmlns:y="y"><key id="d" attr.name="Edge Label" for="edge"><default>knows</default></key>'
    '<key id="g" for="edge"/><graph edgedefault="{}">\n<node id="a"/><node id="b"/>{}</graph></graphml>'
)
EDGE = '<edge id="e0" source="a" target="b">{}</edge>'


@pytest.mark.parametrize(
    ("data", "relation"),
    [
        ("", "knows"),
        ('<data key="d">likes</data>', "likes"),
        (
            '<data key="d"></data><data key="g"> <y:Line><y:EdgeLabel> likes <y:M/></y:EdgeLabel></y:Line></data>',
            "likes",
        ),
    ],
)
def test_relations_of_gephi_and_yed(tmp_path, data, relation):
    path = write(tmp_path / "graph.graphml", GRAPHML.format("directed", EDGE.format(data)))
    assert MultimodalTriples.from_graphml(path).labels.tolist() == [["a", relation, "b"]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<html/>", "line 1: begins with <html>, expected GraphML"),
        (GRAPHML.format("directed", EDGE.replace('"b"', '""')), "line 2: the target of the edge is empty"),
        (GRAPHML.format("directed", EDGE.replace('target="b"', "")), "line 2: the target of the edge is missing"),
        (GRAPHML.format("directed", EDGE).replace("knows", ""), "line 2: the edge from 'a' to 'b' tells no relation"),
        (GRAPHML.format("undirected", EDGE), "1 edges have no direction"),
        (GRAPHML.format("directed", EDGE + '<node id="c"/>'), "1 nodes without edges are left out"),
    ],
)
def test_what_graphml_lacks_is_told(tmp_path, text, words):
    assert words in told(lambda: MultimodalTriples.from_graphml(write(tmp_path / "graph.graphml", text)))


@pytest.mark.parametrize(
    "line",
    [
        '{"type":"node","id":null}',
        '{"type":"relationship","label":"","start":{"id":"0"},"end":{"id":"1"}}',
        '{"type":"relationship","label":"r","start":{"id":null},"end":{"id":"1"}}',
    ],
)
def test_empty_labels_of_neo4j_are_refused_with_the_line(tmp_path, line):
    path = write(tmp_path / "apoc.json", '{"type":"node","id":"0"}\n' + line)
    assert "apoc.json, line 2: expected a node or" in told(lambda: MultimodalTriples.from_neo4j(path))


def test_folder_and_list_of_files(tmp_path):
    write(tmp_path / "train.tsv", table(ROWS[:2]))
    write(tmp_path / "test.tsv", table(ROWS[2:]))
    X = MultimodalTriples.from_tsv(tmp_path)
    assert X.labels.tolist() == ROWS
    assert X[X.triple_data["split"] == "test"].labels.tolist() == ROWS[2:]
    Y = MultimodalTriples.from_tsv([tmp_path / "test.tsv", str(tmp_path / "train.tsv")])
    assert Y.labels.tolist() == [ROWS[2], *ROWS[:2]]
    assert Y.triple_data["file"][0].endswith("test.tsv")
    assert "no file train, valid or test" in told(lambda: MultimodalTriples.from_csv(tmp_path))
    assert "empty list" in told(lambda: MultimodalTriples.from_csv([]))


TURTLE = "@prefix : <http://x.org/> .\n:a :p :b ; :q [ :r 7 ] ; :name 'A'@EN ; :born '1990'^^:year .\n"
X_ORG = "http://x.org/"


class TestRdf:
    """RDF in its formats."""

    @pytest.fixture(autouse=True)
    def parser(self):
        self.ox = pytest.importorskip("pyoxigraph")

    @pytest.mark.parametrize(
        ("suffix", "constant"),
        [
            ("ttl", "TURTLE"),
            ("nt", "N_TRIPLES"),
            ("nq", "N_QUADS"),
            ("trig", "TRIG"),
            ("rdf", "RDF_XML"),
            ("jsonld", "JSON_LD"),
        ],
    )
    def test_formats_give_the_same_triples(self, tmp_path, suffix, constant):
        quads = list(self.ox.parse(TURTLE.replace("[ :r 7 ]", ":c").encode(), format=self.ox.RdfFormat.TURTLE))
        format = getattr(self.ox.RdfFormat, constant)
        triples = [quad.triple for quad in quads]
        (tmp_path / f"graph.{suffix}").write_bytes(self.ox.serialize(triples, format=format))
        X = MultimodalTriples.from_rdf(tmp_path / f"graph.{suffix}")
        expected = [[f"{X_ORG}a", f"{X_ORG}p", f"{X_ORG}b"], [f"{X_ORG}a", f"{X_ORG}q", f"{X_ORG}c"]]
        expected += [[f"{X_ORG}a", f"{X_ORG}name", '"A"@en'], [f"{X_ORG}a", f"{X_ORG}born", f'"1990"^^<{X_ORG}year>']]
        assert sorted(X.labels.tolist()) == sorted(expected)

    def test_literals(self, tmp_path):
        path = write(tmp_path / "graph.ttl", TURTLE)
        assert len(MultimodalTriples.from_rdf(path)) == 5
        with pytest.warns(UserWarning, match="5 triples in, 2 kept, 3 with a literal dropped"):
            assert len(MultimodalTriples.from_rdf(path, literals="drop")) == 2
        X = MultimodalTriples.from_rdf(path, literals="attributes")
        assert X.labels[:, 2].tolist() == [f"{X_ORG}b", "_:anonymous0"]
        assert dict(zip(X.attributes.attribute, X.attributes.value, strict=True)) == {
            f"{X_ORG}r": 7,
            f"{X_ORG}name@en": "A",
            f"{X_ORG}born": "1990",
        }
        assert "literals='no', expected" in told(lambda: MultimodalTriples.from_rdf(path, literals="no"))

    def test_nodes_without_name_have_the_same_labels_each_time_and_differ_between_files(self, tmp_path):
        path, other = write(tmp_path / "a.ttl", TURTLE), write(tmp_path / "b.ttl", TURTLE)
        first, second = (MultimodalTriples.from_rdf(path) for _ in range(2))
        assert first.labels.tolist() == second.labels.tolist()
        both = MultimodalTriples.from_rdf([path, other], duplicates="keep")
        assert {"_:anonymous0", "_:anonymous1"} <= set(both.entities)

    def test_named_graphs(self, tmp_path):
        path = write(tmp_path / "graph.nq", "<x:a> <x:p> <x:b> <x:g> .\n<x:b> <x:p> <x:a> .\n")
        assert MultimodalTriples.from_rdf(path).triple_data["graph"].tolist() == ["x:g", ""]

    def test_another_format_is_named(self, tmp_path):
        path = write(tmp_path / "graph.ttl", TURTLE)
        words = r"graph.ttl is no N-Triples file: .*line 1.*it is Turtle: from_rdf reads it with format='turtle'"
        with pytest.raises(ValueError, match=words):
            MultimodalTriples.from_ntriples(path)
        unnamed = path.rename(tmp_path / "graph.data")
        assert "tells no format of RDF; pass format" in told(lambda: MultimodalTriples.from_rdf(unnamed))
        assert len(MultimodalTriples.from_rdf(unnamed, format="turtle")) == 5

    def test_an_error_is_no_other_format(self, tmp_path):
        for name, text in (
            ("a.nt", "<x:a> <x:p> <x:b> .\n<x:a> <x:p> <x:b>\n<x:a> <x:p> <x:c> .\n"),
            ("a.ttl", TURTLE[:-3]),
        ):
            path = write(tmp_path / name, text)
            message = told(lambda path=path: MultimodalTriples.from_rdf(path))
            assert "line " in message
            assert "format=" not in message

    def test_utf16_and_remote_contexts(self, tmp_path):
        path = write(tmp_path / "graph.ttl", TURTLE, "utf-16")
        assert len(MultimodalTriples.from_rdf(path)) == 5
        path = write(tmp_path / "graph.jsonld", '{"@context": "http://x.org/", "@id": "x:a", "name": "x"}')
        assert "nothing is fetched" in told(lambda: MultimodalTriples.from_rdf(path))

    @pytest.mark.parametrize(
        ("encoding", "declared"),
        [("utf-16", "UTF-16"), ("utf-8", "utf-8"), ("utf-8-sig", "UTF-8"), ("latin-1", "ISO-8859-1")],
    )
    def test_xml_is_in_the_encoding_that_it_declares(self, tmp_path, encoding, declared):
        text = (
            f'<?xml version="1.0" encoding="{declared}"?><r:RDF xmlns:e="http://e/" '
            'xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description r:about="http://e/a">'
            '<e:p r:resource="http://e/é"/></r:Description></r:RDF>'
        )
        path = write(tmp_path / "graph.rdf", text, encoding)
        assert MultimodalTriples.from_rdf(path).labels.tolist() == [["http://e/a", "http://e/p", "http://e/é"]]

    def test_xml_that_declares_a_wrong_encoding_is_told(self, tmp_path):
        for declared in ("klingon", "ascii"):
            text = f'<?xml version="1.0" encoding="{declared}"?><a>é</a>'
            message = told(lambda: MultimodalTriples.from_rdf(write(tmp_path / "graph.rdf", text)))  # noqa: B023
            assert f"declares the encoding {declared}" in message
            assert "convert the file to UTF-8" in message

    def test_relative_iris_need_a_base(self, tmp_path):
        path = write(tmp_path / "graph.ttl", "<a> <p> <b> .")
        assert "pass base_iri" in told(lambda: MultimodalTriples.from_rdf(path))
        assert MultimodalTriples.from_rdf(path, base_iri="http://x.org/").labels[0, 0] == "http://x.org/a"


def test_command_line_reads_with_the_same_options(tmp_path, capsys):
    rows = [[f"e{n}", "r", f"e{(n + 1) % 9}"] for n in range(9)]
    path = write(tmp_path / "graph.csv", "how;whom;who\n" + "".join(f"{r};{t};{h}\n" for h, r, t in rows) + ";x;y\n")
    fit = ["fit", str(path), "--sep", ";", "--columns", "2,0,1", "--header", "yes", "--max-iter", "2", "--quiet"]
    fit += ["--n-components", "4", "--output", str(tmp_path / "model.joblib")]
    assert main(fit) == 2
    assert "line 11, column 1 'how': the relation is empty" in capsys.readouterr().err
    assert main([*fit, "--empty", "drop"]) == 0
    captured = capsys.readouterr()
    assert "10 rows in, 9 kept, 1 refused" in captured.err
    assert "9 triples, 9 entities, 1 relation" in captured.out


def test_warnings_point_at_the_line_that_caused_them(tmp_path):
    path = tmp_path / "graph.tsv"
    path.write_text("head\trelation\ttail\na\tr\tb\na\tr\tb\n")
    with pytest.warns(UserWarning, match="taken for the names|repeated row") as caught:
        MultimodalTriples.from_tsv(path)
    assert [warning.filename for warning in caught] == [__file__] * 2
