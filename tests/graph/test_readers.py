"""Files of triples: every label comes back as written, whatever the format; errors tell the line."""

import csv
import gzip
import sys

import pytest

from skotkge import MultimodalTriples

NFC, NFD = "caf\u00e9", "cafe\u0301"
PLAIN = [
    ["nan", "NA", "007"],
    ["-", "null", "7"],
    [" a b ", "r", "\u2028"],
    [NFC, "r", NFD],
    ["None", "#N/A", 'a "quoted" word'],
    ["\N{PILE OF POO}", "r", "'"],
]
QUOTED = [*PLAIN, ["tab\there", "comma, here", 'a "quote"'], ["line\nend", "r", "line\r\nend"], ['"', ";", '""']]


def write(path, text, encoding="utf-8"):
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix.lower() == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["triples.tsv", "triples.tsv.gz", "triples.TSV.GZ"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "line end"])
def test_tsv_keeps_labels(tmp_path, name, encoding, line_end, last):
    text = line_end.join("\t".join(row) for row in PLAIN) + (line_end if last else "")
    path = write(tmp_path / name, text, encoding)
    assert MultimodalTriples.from_tsv(path).labels.tolist() == PLAIN


@pytest.mark.parametrize("name", ["triples.csv", "triples.csv.gz"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("sep", [",", ";", "\t"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_csv_keeps_labels(tmp_path, name, encoding, line_end, sep, quoting):
    with (tmp_path / "plain").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=sep, lineterminator=line_end, quoting=quoting).writerows(QUOTED)
    path = write(tmp_path / name, (tmp_path / "plain").read_bytes().decode(), encoding)
    assert MultimodalTriples.from_csv(path, sep=sep).labels.tolist() == QUOTED


def test_composed_and_decomposed_letters_are_two_labels(tmp_path):
    path = write(tmp_path / "triples.tsv", f"{NFC}\tr\t{NFD}\n")
    assert MultimodalTriples.from_tsv(path).entities.tolist() == [NFC, NFD]


@pytest.mark.parametrize(("read", "sep"), [(MultimodalTriples.from_tsv, "\t"), (MultimodalTriples.from_csv, ",")])
class TestHeader:
    """What both formats do with a first line of names."""

    COLUMNS = ("subject", "predicate", "object")

    def file(self, tmp_path, sep, lines):
        return write(tmp_path / "triples.txt", "\n".join(sep.join(line) for line in lines) + "\n")

    def test_columns_are_found_by_name(self, tmp_path, read, sep):
        lines = [["object", "year", "subject", "predicate"], ["b", "2001", "a", "r"], ["NA", "2002", "007", "r"]]
        X = read(self.file(tmp_path, sep, lines), columns=self.COLUMNS)
        assert X.labels.tolist() == [["a", "r", "b"], ["007", "r", "NA"]]

    def test_without_columns_a_first_line_of_usual_names_is_a_header(self, tmp_path, read, sep):
        path = self.file(tmp_path, sep, [["head", "relation", "tail"], ["a", "r", "b"]])
        with pytest.warns(UserWarning, match="line 1, head,relation,tail, is taken for the names"):
            assert read(path).labels.tolist() == [["a", "r", "b"]]
        assert read(path, header=False).labels.tolist() == [["head", "relation", "tail"], ["a", "r", "b"]]
        assert read(path, header=True).labels.tolist() == [["a", "r", "b"]]

    def test_missing_and_repeated_columns(self, tmp_path, read, sep):
        for names, times in ((["subject", "predicate", "o"], 0), (["object", "subject", "object", "predicate"], 2)):
            path = self.file(tmp_path, sep, [names, names])
            with pytest.raises(ValueError, match=rf"has the columns .* 'object' {times} times instead of once"):
                read(path, columns=self.COLUMNS)

    def test_empty_file(self, tmp_path, read, sep):
        path = write(tmp_path / "empty.txt", "")
        assert read(path).shape == (0, 3)
        with pytest.raises(ValueError, match="is empty, expected the columns 'subject'"):
            read(path, columns=self.COLUMNS)
        assert read(self.file(tmp_path, sep, [self.COLUMNS]), columns=self.COLUMNS).shape == (0, 3)

    @pytest.mark.parametrize("columns", ["abc", ("a", "b"), ("a", "b", "a")])
    def test_three_names_are_needed(self, tmp_path, read, sep, columns):
        with pytest.raises(ValueError, match=r"columns=.*, expected three names"):
            read(self.file(tmp_path, sep, [["a", "b", "c"]]), columns=columns)

    def test_wrong_number_of_fields(self, tmp_path, read, sep):
        good, header = ["a", "r", "b"], ["subject", "predicate", "object", "year"]
        for lines, columns, number, found in (
            ([good, ["a", "b"]], None, 2, 2),
            ([good, good, ["a", "r", "b", "c"]], None, 3, 4),
            ([["a", "r"], ["a", "r", "b", "c"]], None, 1, 2),
            ([header, [*good, "2001"], good], self.COLUMNS, 3, 3),
        ):
            with pytest.raises(ValueError, match=rf"triples.txt, line {number}: {found} .*fields"):
                read(self.file(tmp_path, sep, lines), columns=columns)

    def test_empty_lines_are_no_triples(self, tmp_path, read, sep):
        path = write(tmp_path / "triples.txt", f"\na{sep}r{sep}b\n\n")
        assert read(path).labels.tolist() == [["a", "r", "b"]]

    def test_other_encodings_are_refused(self, tmp_path, read, sep):
        path = write(tmp_path / "latin.txt", f"a{sep}r{sep}b\ncafé{sep}r{sep}b\n", "latin-1")
        with pytest.raises(ValueError, match=r"latin.txt, line 2: .*convert the file to UTF-8"):
            read(path)

    def test_broken_gzip_file(self, tmp_path, read, sep):
        path = tmp_path / "triples.gz"
        whole = gzip.compress(f"a{sep}r{sep}b\n".encode() * 100)
        for data in (b"a\tr\tb\n", whole[:-9], whole[:12] + b"\xff" * 9 + whole[21:]):
            path.write_bytes(data)
            with pytest.raises(ValueError, match="is no complete gzip file"):
                read(path)

    def test_arguments_of_the_class_are_handed_on(self, tmp_path, read, sep):
        path = self.file(tmp_path, sep, [["a", "r", "b"], ["a", "r", "b"]])
        table = dict(entities=["b", "a"], relations=["q", "r"])
        with pytest.warns(UserWarning, match="1 repeated row"):
            X = read(path, {"text": [[1.0], [2.0]]}, **table)
        assert X.ids.tolist() == [[1, 1, 0]]
        assert X.modalities["text"].tolist() == [[1.0], [2.0]]
        assert read(path, duplicates="keep").shape == (2, 3)
        with pytest.raises(ValueError, match="1 repeated row"):
            read(path, duplicates="error")


@pytest.mark.parametrize("sep", [",", "\u00b7"])
def test_csv_tells_the_line_that_is_wrong_with_and_without_quotes(tmp_path, sep):
    for first, line in (("a", 2), ('"a"', 2), ('"a\na"', 3)):
        path = write(tmp_path / "triples.csv", sep.join([first, "r", "b\na", "b\n"]))
        with pytest.raises(ValueError, match=rf"triples.csv, line {line}: 2 fields separated by '{sep}', expected 3"):
            MultimodalTriples.from_csv(path, sep=sep)


def test_quotes_in_tsv_are_part_of_the_label(tmp_path):
    path = write(tmp_path / "triples.tsv", '"a"\tr\t"b\n')
    assert MultimodalTriples.from_tsv(path).labels.tolist() == [['"a"', "r", '"b']]


def test_csv_quotes_that_do_not_close_or_are_followed_by_text(tmp_path):
    for text in ('a,r,b\n"a,r,b\n', 'a,r,b\n"a"a,r,b\n'):
        with pytest.raises(ValueError, match=r"triples.csv, line \d: .*from_tsv reads files without quoting"):
            MultimodalTriples.from_csv(write(tmp_path / "triples.csv", text))


@pytest.mark.parametrize("sep", ["", ", ", '"', "\n", None])
def test_csv_separator_is_one_character(tmp_path, sep):
    with pytest.raises(ValueError, match=r"sep=.*, expected the one character between fields"):
        MultimodalTriples.from_csv(write(tmp_path / "triples.csv", "a,r,b\n"), sep=sep)


NTRIPLES = r"""# A comment, then an empty line.

<http://example.org/a> <http://example.org/knows> <http://example.org/caf\u00E9> .
_:b1 <http://example.org/knows> <http://example.org/a> . # another comment
<http://example.org/a> <http://example.org/name> "chat"@EN .
<http://example.org/a> <http://example.org/name> "chat" .
<http://example.org/a> <http://example.org/name> "chat"^^<http://www.w3.org/2001/XMLSchema#string> .
<http://example.org/a> <http://example.org/age> "007"^^<http://www.w3.org/2001/XMLSchema#integer> .
<http://example.org/a> <http://example.org/age> "7"^^<http://www.w3.org/2001/XMLSchema#integer> .
<http://example.org/a> <http://example.org/name> "http://example.org/a" .
<http://example.org/a> <http://example.org/name> "_:b1" .
<http://example.org/a> <http://example.org/name> "tab\there \"quoted\"" .
"""


@pytest.mark.parametrize("name", ["graph.nt", "graph.nt.gz"])
def test_ntriples_keep_iris_blank_nodes_and_literals_apart(tmp_path, name):
    pytest.importorskip("pyoxigraph")
    path = write(tmp_path / name, NTRIPLES)
    with pytest.warns(UserWarning, match="1 repeated row"):
        X = MultimodalTriples.from_ntriples(path)
    integer = "^^<http://www.w3.org/2001/XMLSchema#integer>"
    assert X.labels[0].tolist() == ["http://example.org/a", "http://example.org/knows", "http://example.org/caf\u00e9"]
    assert X.labels[1, 0] == "_:b1"
    assert X.labels[2:, 2].tolist() == [
        *('"chat"@en', '"chat"', f'"007"{integer}', f'"7"{integer}'),
        *('"http://example.org/a"', '"_:b1"', r'"tab\there \"quoted\""'),
    ]


@pytest.mark.parametrize("line", ["<a> <http://example.org/r> <http://example.org/b> .", "a r b", '"a" <r:r> <r:b> .'])
def test_ntriples_tell_the_line_that_is_wrong(tmp_path, line):
    pytest.importorskip("pyoxigraph")
    path = write(tmp_path / "graph.nt", f"<r:a> <r:r> <r:b> .\n{line}\n")
    with pytest.raises(ValueError, match=r"graph.nt is no N-Triples file: .*line 2"):
        MultimodalTriples.from_ntriples(path)


def test_without_the_parser_the_error_tells_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyoxigraph", None)
    with pytest.raises(ImportError, match=r'from_ntriples needs pyoxigraph .* pip install "\.\[rdf\]"'):
        MultimodalTriples.from_ntriples(write(tmp_path / "graph.nt", NTRIPLES))
