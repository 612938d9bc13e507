"""The bundled graph, the graphs read from a folder, and the messages when that folder is not as expected."""

import gzip
import importlib.util
import re
import subprocess
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from helpers import LOADERS, REPOSITORY, load_external

import skotkge
from skotkge import MultimodalTriples
from skotkge.datasets import emoji_images, load_emoji, load_wn9img

BUNDLED = Path(skotkge.__file__).parent / "datasets" / "data" / "emoji"

CLDR = Path("/usr/share/unicode/cldr/common")
EMOJI_TEST = Path("/usr/share/unicode/emoji/emoji-test.txt")
FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")

SPLITS = ("train", "valid", "test")


def triple_set(X):
    return set(map(tuple, X.ids.tolist()))


def pair_set(X):
    return {(min(head, tail), max(head, tail)) for head, _, tail in X.ids.tolist()}


def labels_in(X):
    heads, relations, tails = X.ids.T.tolist()
    return {*heads, *tails}, set(relations)


def assert_is_graph(kg):
    """Check what every loader promises."""
    for split in SPLITS:
        assert isinstance(kg[split], MultimodalTriples)
        assert kg[split].entities is kg.train.entities
        assert kg[split].relations is kg.train.relations
        assert all(kg[split].modalities[name] is matrix for name, matrix in kg.train.modalities.items())
    assert kg.entity_names.dtype == object
    assert kg.entity_names.shape == (kg.train.n_entities,)
    assert all(isinstance(name, str) and name for name in kg.entity_names)
    assert "licences" in kg.DESCR


def assert_disjoint(kg):
    triples = [triple for split in SPLITS for triple in triple_set(kg[split])]
    assert len(triples) == len(set(triples)) == sum(len(kg[split]) for split in SPLITS)


def assert_known_in_train(kg):
    entities, relations = labels_in(kg.train)
    for split in ("valid", "test"):
        assert labels_in(kg[split])[0] <= entities
        assert labels_in(kg[split])[1] <= relations


def assert_pairs_in_one_split(kg):
    pairs = [pair_set(kg[split]) for split in SPLITS]
    assert len(set().union(*pairs)) == sum(map(len, pairs))


def assert_complete_features(kg, widths):
    """Check width, number type and that no row is missing."""
    assert {name: matrix.shape[1] for name, matrix in kg.train.modalities.items()} == widths
    for matrix in kg.train.modalities.values():
        assert matrix.dtype == np.float16
        assert np.isfinite(matrix).all()


@pytest.fixture(scope="module")
def emoji():
    return load_emoji()


def test_emoji_sizes(emoji):
    assert [len(emoji[split]) for split in SPLITS] == [5120, 639, 639]
    assert emoji.train.n_entities == 1662
    assert len(emoji.train.relations) == 12


def test_emoji_is_a_graph_with_a_clean_split(emoji):
    assert_is_graph(emoji)
    assert_disjoint(emoji)
    assert_known_in_train(emoji)
    assert_pairs_in_one_split(emoji)
    assert_complete_features(emoji, {"text": 384, "image": 128})


def test_emoji_labels_are_the_code_points_of_the_named_emoji(emoji):
    for key, name in zip(emoji.train.entities, emoji.entity_names, strict=True):
        character = name.partition(" ")[0].replace("\N{VARIATION SELECTOR-16}", "")
        assert key == "-".join(f"{ord(part):X}" for part in character)
    assert "🧹 broom" in emoji.entity_names


def test_emoji_description_agrees_with_the_data(emoji):
    counts = Counter(label for split in SPLITS for label in emoji[split].labels[:, 1])
    described = re.findall(r"^([a-z]+_?[a-z_]*) +([\d,]+) ", emoji.DESCR, flags=re.MULTILINE)
    assert {relation: int(count.replace(",", "")) for relation, count in described} == counts
    text = emoji.train.modalities["text"]
    assert np.flatnonzero((text == text[0]).all(axis=0)).tolist() == [127, 223, 319]


def test_emoji_description_names_the_licences(emoji):
    for term in ("Unicode-DFS-2016", "OFL-1.1", "Apache-2.0", "modified", "NOTICE.txt"):
        assert term in emoji.DESCR


def test_emoji_notices_go_with_the_data():
    notice = (files("skotkge.datasets") / "data" / "emoji" / "NOTICE.txt").read_text(encoding="utf-8")
    for term in ("© 1991-2022 Unicode, Inc.", "have been modified", "SIL OPEN FONT LICENSE Version 1.1", "Google Inc."):
        assert term in notice


def test_only_emoji_is_bundled():
    assert [path.name for path in (files("skotkge.datasets") / "data").iterdir()] == ["emoji"]


def test_emoji_loads_afresh_each_time(emoji):
    again = load_emoji()
    again.entity_names[0] = "changed"
    assert load_emoji().entity_names[0] == emoji.entity_names[0]


def test_emoji_images_are_in_the_order_of_the_entities(emoji):
    pytest.importorskip("PIL")
    pictures = emoji_images()
    assert pictures.shape == (1662, 32, 32, 4)
    assert pictures.dtype == np.uint8
    opacity = pictures[..., 3]
    assert opacity.any(axis=(1, 2)).all()
    names = emoji.entity_names.tolist()
    for channel, name in enumerate(("🔴 red circle", "💚 green heart", "💙 blue heart")):
        assert pictures[names.index(name), 16, 16, :3].argmax() == channel
    # A flag fills the width of its square and leaves bands above and below it.
    flag = opacity[names.index("🇫🇷 flag: France")]
    assert flag[16].all()
    assert not flag[[0, -1]].any()


def test_emoji_images_without_pillow_names_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r'pip install "\.\[plot\]"'):
        emoji_images()


def installed_source_versions():
    """Read the versions of emoji-test.txt, CLDR and the font, or an empty string for what is not installed."""
    font = ""
    if FONT.is_file() and importlib.util.find_spec("fontTools"):
        from fontTools.ttLib import TTFont

        with TTFont(FONT, lazy=True) as opened:
            font = opened["name"].getDebugName(5)
    dtd = CLDR / "dtd" / "ldmlSupplemental.dtd"
    texts = [path.read_text(encoding="utf-8") if path.is_file() else "" for path in (EMOJI_TEST, dtd)]
    patterns = (r"# Version: (\S+)", r'cldrVersion CDATA #FIXED "(\S+)"', r"Version ([\d.]+)")
    found = [re.search(pattern, text) for pattern, text in zip(patterns, [*texts, font], strict=True)]
    return [match[1] if match else "" for match in found]


def test_emoji_can_be_rebuilt_from_its_sources(tmp_path):
    pytest.importorskip("PIL")
    versions = installed_source_versions()
    if versions != ["15.0", "41", "2.042"]:
        pytest.skip(f"needs emoji-test.txt 15.0, CLDR 41 and Noto Color Emoji 2.042 with fontTools, found {versions}")
    builder = REPOSITORY / "tools" / "build_emoji.py"
    done = subprocess.run(
        [sys.executable, builder, tmp_path, "--check", BUNDLED], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "n_entities", "n_relations", "sizes", "widths"),
    [
        ("hanzi", 5781, 11, [16540, 2067, 2068], {"text": 384, "image": 128}),
        ("wn9img", 6555, 9, [11741, 1337, 1319], {"text": 384}),
        ("fbimg", 11757, 1231, [285850, 29580, 34863], {"text": 192}),
        ("codex_s", 2034, 42, [32888, 1827, 1828], {}),
    ],
)
def test_external_sizes(name, n_entities, n_relations, sizes, widths):
    kg = load_external(name)
    assert_is_graph(kg)
    assert_disjoint(kg)
    assert_complete_features(kg, widths)
    assert [len(kg[split]) for split in SPLITS] == sizes
    assert (kg.train.n_entities, len(kg.train.relations)) == (n_entities, n_relations)


@pytest.mark.parametrize("name", ["hanzi", "wn9img", "codex_s"])
def test_external_valid_and_test_are_known_in_train(name):
    assert_known_in_train(load_external(name))


def test_hanzi_split_names_and_images():
    kg = load_external("hanzi")
    assert_pairs_in_one_split(kg)
    row = kg.train.entities.tolist().index("磊")
    assert kg.entity_names[row] == "磊 lei: pile of rocks or stones; great"
    assert kg.images.shape == (5781, 24, 24)
    assert kg.images.dtype == np.uint8


def test_wn9img_leak_is_as_described():
    kg = load_external("wn9img")
    linked = {(head, tail) for head, _, tail in kg.train.ids.tolist()}
    leaked = sum((tail, head) in linked for head, _, tail in kg.test.ids.tolist())
    assert leaked == 1186
    assert "1,186 (89.9 %)" in kg.DESCR


def test_fbimg_has_test_labels_that_train_lacks():
    kg = load_external("fbimg")
    entities, relations = labels_in(kg.train)
    unseen_entity = [not {head, tail} <= entities for head, _, tail in kg.test.ids.tolist()]
    unseen_relation = [relation not in relations for relation in kg.test.ids[:, 1].tolist()]
    assert (sum(unseen_entity), sum(unseen_relation)) == (3, 12)


def test_codex_s_negatives_are_false_triples_over_the_same_table():
    kg = load_external("codex_s")
    true = triple_set(kg.train) | triple_set(kg.valid) | triple_set(kg.test)
    for part, size in (("valid_negatives", 1827), ("test_negatives", 1828)):
        assert kg[part].entities is kg.train.entities
        assert len(kg[part]) == size
        assert not triple_set(kg[part]) & true
    assert len(kg.train.with_triples(np.vstack([kg.test, kg.test_negatives]))) == 2 * 1828


def test_codex_s_names():
    kg = load_external("codex_s")
    assert kg.entity_names[kg.train.entities.tolist().index("Q100")] == "Boston"
    assert (kg.entity_names == kg.train.entities).sum() == 903
    assert kg.relation_names[kg.train.relations.tolist().index("P101")] == "field of work"


def write_lines(path, rows, line_end="\n"):
    text = "".join("\t".join(row) + line_end for row in rows).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


def write_splits(folder, splits, suffix="", line_end="\n"):
    for split, triples in zip(SPLITS, splits, strict=True):
        write_lines(folder / f"{split}{suffix}", triples, line_end)


def write_hanzi(folder):
    write_lines(folder / "entities.tsv", [("好", "U+597D", "hao", "good"), ("女", "U+5973", "nu", "woman")])
    write_splits(folder, [[("好", "left", "女")], [], [("女", "part_of", "好")]], ".tsv")
    np.save(folder / "text_minilm_384.npy", np.eye(2, dtype=np.float16))
    np.save(folder / "visual_pca_128.npy", np.ones((2, 3), dtype=np.float16))
    np.savez(folder / "glyphs_24x24_u8.npz", images=np.zeros((2, 24, 24), dtype=np.uint8))


def write_wn9img(folder):
    write_lines(folder / "entities.tsv", [("n2", "cell", "a unit"), ("n1", "being, organism", "a living thing")])
    write_splits(folder, [[("n1", "_hyponym", "n2")], [], [("n2", "_hypernym", "n1")]], ".tsv")
    np.save(folder / "text_minilm_384.npy", np.eye(2, dtype=np.float16))


def write_indexed(folder, entities, relations, **more):
    write_lines(folder / "entities.tsv.gz", entities)
    write_lines(folder / "relations.txt", relations)
    empty = np.empty((0, 3), dtype=np.uint16)
    triples = {"train": np.array([[0, 1, 1]], dtype=np.uint16), "valid": empty, "test": np.array([[1, 0, 0]])}
    np.savez(folder / "triples.npz", **triples, **more)


def write_fbimg(folder):
    write_indexed(folder, [("/m/b", "Denton", "city"), ("/m/a", "El Paso", "")], [("/near",), ("/far",)])
    np.save(folder / "text_minilm_pca192.npy", np.eye(2, dtype=np.float16))


def write_codex_s(folder):
    entities = [("Q2", "Boston", "city", "place"), ("Q1", "", "", "human")]
    negatives = np.array([[0, 0, 0]], dtype=np.uint16)
    write_indexed(
        folder, entities, [("P1", "near"), ("P2", "far")], valid_negatives=negatives, test_negatives=negatives
    )


WRITERS = {"hanzi": write_hanzi, "wn9img": write_wn9img, "fbimg": write_fbimg, "codex_s": write_codex_s}


@pytest.fixture(params=sorted(WRITERS))
def small_set(request, tmp_path):
    """Write a graph of two triples and return its name; its data folder is tmp_path."""
    (tmp_path / request.param).mkdir()
    WRITERS[request.param](tmp_path / request.param)
    return request.param


SMALL_GRAPHS = {
    "hanzi": (["好", "女"], ["好 hao: good", "女 nu: woman"], ("好", "left", "女"), ("女", "part_of", "好")),
    "wn9img": (["n2", "n1"], ["cell", "being, organism"], ("n1", "_hyponym", "n2"), ("n2", "_hypernym", "n1")),
    "fbimg": (["/m/b", "/m/a"], ["Denton", "El Paso"], ("/m/b", "/far", "/m/a"), ("/m/a", "/near", "/m/b")),
    "codex_s": (["Q2", "Q1"], ["Boston", "Q1"], ("Q2", "P2", "Q1"), ("Q1", "P1", "Q2")),
}


def test_small_set_is_read_label_by_label(small_set, tmp_path):
    kg = LOADERS[small_set](tmp_path)
    entities, names, train_triple, test_triple = SMALL_GRAPHS[small_set]
    assert_is_graph(kg)
    assert kg.train.entities.tolist() == entities
    assert kg.entity_names.tolist() == names
    assert kg.train.labels.tolist() == [list(train_triple)]
    assert kg.valid.shape == (0, 3)
    assert kg.test.labels.tolist() == [list(test_triple)]


def test_environment_variable_names_the_data_home(small_set, tmp_path, monkeypatch):
    monkeypatch.setenv("SKOTKGE_DATA", str(tmp_path))
    assert LOADERS[small_set]().train.shape == (1, 3)


def test_data_home_wins_over_the_environment_variable(small_set, tmp_path, monkeypatch):
    monkeypatch.setenv("SKOTKGE_DATA", str(tmp_path / "elsewhere"))
    assert LOADERS[small_set](str(tmp_path)).train.shape == (1, 3)


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("name", sorted(LOADERS))
def test_without_data_home_both_ways_are_told(name, value, monkeypatch):
    monkeypatch.delenv("SKOTKGE_DATA", raising=False)
    if value is not None:
        monkeypatch.setenv("SKOTKGE_DATA", value)
    with pytest.raises(ValueError, match=rf"data_home=FOLDER or set SKOTKGE_DATA=FOLDER.*sub-folder {name}"):
        LOADERS[name]()


@pytest.mark.parametrize("name", sorted(LOADERS))
def test_missing_folder_is_named_with_the_expected_files(name, tmp_path):
    with pytest.raises(FileNotFoundError, match="The data come from") as raised:
        LOADERS[name](tmp_path)
    message = str(raised.value)
    assert f"The folder {tmp_path / name} is missing." in message
    assert "entities.tsv" in message
    assert "http" in message


def test_each_missing_file_is_named(small_set, tmp_path):
    folder = tmp_path / small_set
    for path in sorted(folder.iterdir()):
        hidden = path.rename(tmp_path / "hidden")
        with pytest.raises(FileNotFoundError, match="The data come from") as raised:
            LOADERS[small_set](tmp_path)
        assert f"The file {path.name} is missing in {folder}. Expected in {folder}: " in str(raised.value)
        hidden.rename(path)
    LOADERS[small_set](tmp_path)


@pytest.mark.parametrize("name", ["hanzi", "wn9img", "fbimg"])
def test_features_with_another_number_of_rows_are_refused(name, tmp_path):
    folder = tmp_path / name
    folder.mkdir()
    WRITERS[name](folder)
    (path,) = folder.glob("text_*.npy")
    np.save(path, np.zeros((3, 4)))
    with pytest.raises(ValueError, match=r"text_minilm_\w+.npy has the shape \(3, 4\), expected \(2, n_features\)"):
        LOADERS[name](tmp_path)


def test_a_file_that_is_no_array_is_named(tmp_path):
    (tmp_path / "wn9img").mkdir()
    write_wn9img(tmp_path / "wn9img")
    (tmp_path / "wn9img" / "text_minilm_384.npy").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ValueError, match=r"text_minilm_384\.npy is not a NumPy file of plain numbers"):
        load_wn9img(tmp_path)


AUTHORS_TRIPLES = (
    [("n3", "_hypernym", "n1"), ("n3", "_hyponym", "n20")],
    [("n20", "_hypernym", "n1")],
    [("n1", "_test_only", "n100")],
)
SORTED_ENTITIES = ["n1", "n100", "n20", "n3"]


@pytest.fixture(params=["wn9img", "fbimg"])
def authors_set(request, tmp_path):
    """Write a graph in the layout of the authors of OTKGE, with the line ends that their files have."""
    folder = tmp_path / request.param
    folder.mkdir()
    write_splits(folder, AUTHORS_TRIPLES, line_end="\r\n")
    short = request.param.removesuffix("9img").removesuffix("img")
    np.save(folder / f"matrix_{short}_ling.npy", np.arange(8, dtype=np.float32).reshape(4, 2))
    np.save(folder / f"matrix_{short}_visual.npy", np.arange(12, dtype=np.float64).reshape(4, 3))
    return request.param


def test_authors_layout_has_rows_in_sorted_order_of_the_labels(authors_set, tmp_path):
    kg = LOADERS[authors_set](tmp_path)
    assert_is_graph(kg)
    assert kg.train.entities.tolist() == SORTED_ENTITIES
    assert kg.entity_names.tolist() == SORTED_ENTITIES
    assert kg.train.relations.tolist() == ["_hypernym", "_hyponym", "_test_only"]
    for split, triples in zip(SPLITS, AUTHORS_TRIPLES, strict=True):
        assert list(map(tuple, kg[split].labels)) == triples
    assert kg.train.modalities["text"].tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert kg.train.modalities["text"].dtype == np.float32
    assert kg.train.modalities["image"].shape == (4, 3)


def test_authors_layout_without_a_last_line_end(authors_set, tmp_path):
    path = tmp_path / authors_set / "train"
    path.write_bytes(path.read_bytes().removesuffix(b"\r\n"))
    assert LOADERS[authors_set](tmp_path).train.entities.tolist() == SORTED_ENTITIES


@pytest.mark.parametrize("kind", ["ling", "visual"])
def test_authors_layout_refuses_a_matrix_of_other_length(authors_set, kind, tmp_path):
    (path,) = (tmp_path / authors_set).glob(f"matrix_*_{kind}.npy")
    np.save(path, np.zeros((5, 2)))
    message = rf"matrix_\w+_{kind}.npy has the shape \(5, 2\), expected \(4, n_features\): one row for each of the 4"
    with pytest.raises(ValueError, match=message):
        LOADERS[authors_set](tmp_path)


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("valid", "valid"),
        ("matrix_*_ling.npy", "matrix_*_ling.npy"),
        ("matrix_*_visual.npy", "matrix_*_visual.npy"),
    ],
)
def test_authors_layout_names_the_missing_file(authors_set, pattern, named, tmp_path):
    (path,) = (tmp_path / authors_set).glob(pattern)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=re.escape(f"The file {named} is missing")) as raised:
        LOADERS[authors_set](tmp_path)
    assert "https://github.com/Lion-ZS/OTKGE" in str(raised.value)


def test_authors_layout_refuses_matrices_of_two_sets(authors_set, tmp_path):
    np.save(tmp_path / authors_set / "matrix_other_ling.npy", np.zeros((4, 2)))
    with pytest.raises(ValueError, match=r"has several files matrix_\*_ling\.npy"):
        LOADERS[authors_set](tmp_path)
