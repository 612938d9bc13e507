"""Tables of attributes as modality matrices: kinds, holes, new rows, long tables, models that have to be installed."""

import datetime
import pickle
import sys
from decimal import Decimal
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from skotkge import MultimodalTriples
from skotkge.encoding import TableEncoder, encode_table

LABELS = ["a", "b", "c", "d"]
PEOPLE = pd.DataFrame(
    {
        "age": [30, 40, None, 50],
        "tall": pd.array([True, None, False, True], "boolean"),
        "born": pd.to_datetime(["1990-03-01", "1980-09-01", None, "1970-03-01"]),
        "colour": ["red", "blue", "red", None],
        "likes": [["tea", "sun"], ["tea"], None, []],
        "about": ["reads books", None, "plays chess", "reads chess books"],
        "vector": [[1.0, 2.0], None, [3.0, 4.0], [5.0, 6.0]],
    },
    index=LABELS,
)


@parametrize_with_checks([TableEncoder()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2.5, None], "number"),
        ([Decimal("1.5"), 2, np.nan], "number"),
        (["1", "2.5", "", "-3e4"], "number"),
        (pd.array([1, None], "Int64"), "number"),
        (["007", "123"], "text"),
        (["007", "123", "123"], "category"),
        ([True, None, False], "boolean"),
        ([np.True_, np.False_], "boolean"),
        (["2020-01-31", "1815-06-18"], "date"),
        (["2020-01-31T12:30:00Z", "2020-01-31 12:30:00+02:00"], "date"),
        ([datetime.date(1, 1, 1), None], "date"),
        (np.array(["2020-01-01", "NaT"], dtype="datetime64[ns]"), "date"),
        (["x", "y", "x"], "category"),
        (["NA", "nan", "NA"], "category"),
        (["x", "y", "z"], "text"),
        ([["x"], ("y", "z"), {"w"}, None], "tags"),
        ([[1.0, 2], (3, 4)], "vector"),
        ([torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])], "vector"),
        ([[1.0, None], [2.0, 3.0]], "vector"),
        ([[1, 2], [3]], "tags"),
        ([["x", None], ["y"]], "tags"),
        ([8, "Unknown", "-", 9.5], "number"),
        (["2020-01-31", "n/a"], "date"),
        ([True, "?"], "boolean"),
        ([8, "many", 8], "category"),
        ([8, "many", True], "text"),
        (["2020-02-30", "2020-01-31"], "text"),
        (["2020-01-31T25:00", "2020-01-31T25:00"], "category"),
        ([datetime.timedelta(1), datetime.timedelta(3)], "number"),
        (np.array([1, "NaT", 3], dtype="timedelta64[h]"), "number"),
        (pd.period_range("2020-01", "2020-03", freq="M"), "date"),
    ],
)
def test_kinds_are_guessed_by_the_values(values, kind):
    assert TableEncoder().fit({"x": values}).kinds_ == {"x": kind}


def test_holes_are_missing_and_not_zero():
    encoder = TableEncoder().fit(PEOPLE)
    frames = encode_table(PEOPLE, encoder)
    assert list(frames) == ["numbers", "categories", "text", "vector"]
    numbers = frames["numbers"]
    assert numbers.columns[-3:].tolist() == ["missing_age", "missing_tall", "missing_born"]
    np.testing.assert_allclose(numbers["age"], [-np.sqrt(1.5), 0, 0, np.sqrt(1.5)], atol=1e-6)
    np.testing.assert_allclose(numbers["tall"], [1, 2 / 3, 0, 1], rtol=1e-6)
    assert numbers["missing_tall"].tolist() == [0, 1, 0, 0]
    assert frames["categories"].loc["a"].tolist() == [0, 1, 1, 1, 0, 0]
    assert frames["categories"].columns.tolist()[2:] == ["likes_sun", "likes_tea", "missing_colour", "missing_likes"]
    assert np.flatnonzero(frames["text"].isna().all(axis=1)).tolist() == [1]
    assert frames["text"].isna().to_numpy().any(axis=1).tolist() == [False, True, False, False]
    np.testing.assert_array_equal(frames["vector"], [[1, 2], [np.nan, np.nan], [3, 4], [5, 6]])
    X = MultimodalTriples([("a", "r", "b"), ("c", "r", "d")], frames)
    assert X.observed("text").tolist() == [True, False, True, True]
    assert {name: matrix.shape for name, matrix in X.modalities.items()} == {
        name: frame.shape for name, frame in frames.items()
    }


def test_a_row_without_any_value_of_a_modality_is_missing():
    frame = pd.DataFrame({"n": [1.0, np.nan, 3.0], "m": [4, np.nan, np.nan]}, index=["a", "b", "c"])
    matrix = encode_table(frame)["numbers"]
    assert matrix.isna().all(axis=1).tolist() == [False, True, False]
    assert matrix.columns.tolist() == ["n", "m", "missing_m"]


@pytest.mark.parametrize("library", ["polars", "mapping", "entity column"])
def test_forms_of_tables_give_the_same(library):
    expected = encode_table(PEOPLE, random_state=0)
    columns = {"entity": LABELS} | {name: PEOPLE[name].astype(object).tolist() for name in PEOPLE}
    plain = {name: [None if pd.api.types.is_scalar(v) and pd.isna(v) else v for v in c] for name, c in columns.items()}
    table = {"polars": lambda: pl.DataFrame(plain), "mapping": lambda: plain}.get(
        library, lambda: PEOPLE.rename_axis("entity").reset_index()
    )()
    for name, frame in encode_table(table, random_state=0).items():
        pd.testing.assert_frame_equal(frame, expected[name])


def test_new_rows_are_encoded_as_the_old_ones():
    encoder = TableEncoder(random_state=0)
    assert np.array_equal(encoder.fit_transform(PEOPLE), encoder.fit(PEOPLE).transform(PEOPLE), equal_nan=True)
    again = pickle.loads(pickle.dumps(encoder))
    shuffled = PEOPLE.iloc[[2, 0], ::-1].assign(further=1)
    np.testing.assert_array_equal(again.transform(shuffled), encoder.transform(PEOPLE)[[2, 0]])
    assert encoder.get_feature_names_out().shape == (encoder.transform(PEOPLE).shape[1],)
    new = pd.DataFrame({"age": [45], "colour": ["green"], "about": ["plays tennis"]}, index=["new"])
    with pytest.raises(ValueError, match="lacks the column 'tall' of the fit"):
        encoder.transform(new)
    new = new.reindex(columns=PEOPLE.columns)
    X = MultimodalTriples([("a", "r", "b"), ("c", "r", "d")], encode_table(PEOPLE, encoder))
    unseen = X.new_entities(encode_table(new, encoder))
    assert {name: unseen.observed(name).tolist() for name in X.modalities} == {
        "numbers": [True],
        "categories": [True],
        "text": [True],
        "vector": [False],
    }
    assert unseen.modalities["categories"][0, :2].tolist() == [0, 0]


def test_long_tables_become_wide():
    long = pd.DataFrame(
        {
            "entity": ["x", "y", "x", "x", "y", "z"],
            "attribute": ["area", "area", "tag", "tag", "name", "tag"],
            "value": [1, 3.0, "u", "v", "why", "u"],
        }
    )
    encoder = TableEncoder().fit(long)
    assert encoder.kinds_ == {"area": "number", "tag": "tags", "name": "text"}
    frames = encode_table(long, encoder)
    assert frames["numbers"].index.tolist() == ["x", "y", "z"]
    np.testing.assert_array_equal(frames["numbers"]["area"], [-1, 1, np.nan])
    assert frames["categories"].loc["x"].tolist() == [1, 1]
    new = encode_table({"entity": ["n"], "attribute": ["tag"], "value": ["v"]}, encoder)
    assert new["categories"].loc["n"].tolist() == [0, 1]
    assert new["numbers"].isna().all(axis=None)


@pytest.mark.parametrize("as_given", [int, str, float])
def test_several_numbers_of_one_entity_are_their_mean(as_given):
    rows = [("at", 8), ("at", 9), ("ch", 7), ("ch", 8), ("li", 6), ("li", 7)]
    table = {
        "entity": [entity for entity, _ in rows],
        "attribute": ["pop"] * 6,
        "value": [as_given(n) for _, n in rows],
    }
    for several in (table, {name: column[:3] for name, column in table.items()}):
        means = pd.DataFrame({"value": map(float, several["value"])}).groupby(several["entity"])["value"].mean()
        pd.testing.assert_frame_equal(
            encode_table(several)["numbers"], encode_table({"entity": means.index, "pop": means})["numbers"]
        )
    assert TableEncoder({"pop": "tags"}).fit(table).kinds_ == {"pop": "tags"}


def test_several_dates_and_truth_values_of_one_entity_are_their_mean():
    dates = [datetime.date(2020, 1, 1), datetime.date(2020, 1, 3), datetime.date(2020, 1, 2)]
    for values in (dates, [str(date) for date in dates], [True, False, True]):
        frame = encode_table({"entity": ["a", "a", "b"], "attribute": ["x"] * 3, "value": values})["numbers"]
        expected = [0, 0] if values[0] is not True else [0.5, 1]
        np.testing.assert_allclose(frame.iloc[:, 0], expected, atol=1e-6)


def test_words_for_missing_values_are_holes_in_rows_that_come_later_too():
    encoder = TableEncoder().fit({"n": [8, "unknown", 10], "m": [1, 2, 3]})
    assert encoder.get_feature_names_out().tolist() == ["n", "m", "missing_n"]
    np.testing.assert_allclose(encoder.transform({"n": ["N/A", 10], "m": [2, 2]}), [[0, 0, 1], [1, 0, 0]], atol=1e-6)


@pytest.mark.parametrize("text_encoder", ["tfidf", "hashing"])
def test_numbers_as_text(text_encoder):
    for values in ([1, 20, 333], [1, "two", 3.5], ["the same text"] * 3):
        frame = encode_table({"x": values}, {"x": "text"}, text_encoder=text_encoder, random_state=0)["text"]
        assert np.abs(frame.to_numpy()).max() < 10
        written = {"x": [str(value) for value in values]}
        again = encode_table(written, {"x": "text"}, text_encoder=text_encoder, random_state=0)["text"]
        np.testing.assert_allclose(frame, again, atol=1e-5)


def test_lists_without_any_tag_are_left_out():
    with pytest.warns(UserWarning, match="no value at all in 't'"):
        assert list(encode_table({"t": [[], [None]], "n": [1, 2]})) == ["numbers"]


def test_attributes_of_rdf_files(tmp_path):
    path = tmp_path / "graph.ttl"
    path.write_text(
        '@prefix : <http://x.org/> . :at :near :ch ; :area 83879 ; :eu true ; :about "Danube"@en .\n'
        ":ch :area 41285 ; :eu false . :li :area 160 ; :near :ch ."
    )
    X = MultimodalTriples.from_rdf(path, literals="attributes")
    frames = encode_table(X.attributes)
    assert list(frames) == ["numbers", "text"]
    assert frames["numbers"].shape == (3, 3)
    both = MultimodalTriples(X, frames, entities=X.entities, relations=X.relations)
    assert both.observed("text").tolist() == [True, False, False]


def test_specification_overrides_the_guess():
    spec = {"age": "category", "colour": "drop", "born": FunctionTransformer(lambda x: [[d[0].year] for d in x])}
    encoder = TableEncoder(spec).fit(PEOPLE)
    assert encoder.kinds_["age"] == "category"
    assert encoder.kinds_["colour"] == "drop"
    assert encoder.modality_columns_.keys() >= {"born", "categories"}
    np.testing.assert_array_equal(encode_table(PEOPLE, encoder)["born"].to_numpy(), [[1990], [1980], [np.nan], [1970]])
    ranks = TableEncoder({"age": QuantileTransformer(n_quantiles=3)}).fit_transform(PEOPLE)
    assert np.isfinite(ranks).any()
    assert clone(encoder).spec.keys() == spec.keys()


@pytest.mark.parametrize(
    ("table", "options", "words"),
    [
        (PEOPLE, dict(spec={"ago": "number"}), "spec names 'ago', which is no column"),
        (PEOPLE, dict(spec={"age": "numbr"}), "spec has 'numbr' for 'age'; expected one of 'number'"),
        (PEOPLE, dict(spec={"about": "number"}), "the column 'about' cannot be encoded: .*'reads books'"),
        (PEOPLE, dict(spec={"about": "date"}), "the column 'about' cannot be encoded"),
        ({"x": [{"a": 1}, {"b": 2}]}, {}, r"type dict in the column 'x'.*spec={'x': 'category'}"),
        ({"x": [1j, "red"]}, {}, "type complex, str in the column 'x'"),
        ({"x": [[1.0], [1.0, 2.0]]}, {}, "the column 'x' cannot be encoded: .*lengths .*'number' takes the mean"),
        ({"x": [1], "y": [1, 2]}, {}, r"columns of the lengths \[1, 2\]"),
        ({"x": ["a.png", "b.png"]}, {}, "the column 'x' cannot be encoded: it has the picture 'a.png'"),
        ({"entity": [None], "attribute": ["x"], "value": [1]}, {}, "no entity in row 0"),
        ({"entity": ["a", None], "x": [1, 2]}, {}, "no entity in row 1"),
        (pd.DataFrame({"x": [1, 2]}, index=["a", None]), {}, "no entity in row 1"),
    ],
)
def test_errors_name_the_column(table, options, words):
    with pytest.raises(ValueError, match=words):
        encode_table(table, **options)


def test_tables_that_are_none():
    with pytest.raises(TypeError, match="lazy data frame"):
        encode_table(pl.DataFrame({"x": [1]}).lazy())
    with pytest.raises(TypeError, match="n_components is given beside an encoder"):
        encode_table(PEOPLE, TableEncoder(), n_components=3)
    with pytest.warns(UserWarning, match="no value at all in 'e'; left out") as caught:
        assert list(encode_table({"entity": ["a", "b"], "e": [None, ""], "n": [1, 2]})) == ["numbers"]
    assert caught[0].filename == __file__


@pytest.mark.parametrize("text_encoder", ["tfidf", "hashing"])
def test_similar_texts_have_similar_vectors(text_encoder):
    texts = [f"{animal} number {number}" for animal in ("elephant", "giraffe") for number in range(40)]
    matrix = encode_table({"t": texts}, text_encoder=text_encoder, n_components=10, random_state=0)["text"].to_numpy()
    assert matrix.shape == (80, 10)
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    assert (unit[:40] @ unit[:40].T).mean() > (unit[:40] @ unit[40:].T).mean() + 0.2


def test_pictures_by_path(tmp_path, rng):
    from PIL import Image

    shades = {"dark.png": (10, 10, 10), "grey.png": (120, 120, 150), "light.jpg": (250, 250, 250)}
    for name, shade in shades.items():
        Image.new("RGB", (20, 30), shade).save(tmp_path / name)
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    table = {"entity": [*"abcde"], "picture": [*shades, "clear.png", None]}
    matrix = encode_table(table, image_folder=tmp_path, n_components=2)["image"].to_numpy()
    assert matrix.shape == (5, 2)
    order = np.argsort(matrix[:4, 0])
    assert order.tolist() in ([0, 1, 2, 3], [3, 2, 1, 0])  # what is transparent is white
    assert np.isnan(matrix[4]).all()
    for same in (["dark.png"], ["dark.png"] * 3, ["dark.png", "unknown"]):  # nothing differs
        matrix = encode_table({"picture": same}, image_folder=tmp_path)["image"].to_numpy()
        assert not np.nan_to_num(matrix).any()


def test_models_are_used_when_installed_and_asked_for(monkeypatch, tmp_path):
    asked = []

    class SentenceTransformer:
        def __init__(self, name):
            asked.append(name)

        def encode(self, texts):
            return np.array([[len(text), 1.0] for text in texts])

    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ImportError, match="'all-MiniLM-L6-v2' is a model of sentence-transformers: pip install"):
        encode_table({"t": ["ab", "cde"]}, text_encoder="all-MiniLM-L6-v2")
    library = ModuleType("sentence_transformers")
    library.SentenceTransformer = SentenceTransformer
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    frames = encode_table({"t": ["ab", None, "cde"]}, text_encoder="all-MiniLM-L6-v2")
    np.testing.assert_array_equal(frames["text"], [[2, 1], [np.nan, np.nan], [3, 1]])
    assert set(asked) == {"all-MiniLM-L6-v2"}


def test_features_of_pictures_come_from_before_the_last_layer(monkeypatch, tmp_path):
    from PIL import Image

    class Net(torch.nn.Sequential):
        def __init__(self):
            super().__init__()
            self.body = torch.nn.Flatten()
            self.fc = torch.nn.Linear(3, 5)

    def prepare(picture):
        return torch.tensor(np.asarray(picture.resize((1, 1)), dtype=np.float32))

    models = ModuleType("torchvision.models")
    models.get_model = lambda name, weights: Net()
    models.get_model_weights = lambda name: SimpleNamespace(DEFAULT=SimpleNamespace(transforms=lambda: prepare))
    package = ModuleType("torchvision")
    package.models = models
    Image.new("RGB", (4, 4), (1, 2, 3)).save(tmp_path / "a.png")
    table = {"p": ["a.png", None, "a.png"]}
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ImportError, match="'resnet18' is a model of torchvision"):
        encode_table(table, image_folder=tmp_path, image_encoder="resnet18")
    monkeypatch.setitem(sys.modules, "torchvision", package)
    frame = encode_table(table, image_folder=tmp_path, image_encoder="resnet18")["image"]
    np.testing.assert_array_equal(frame, [[1, 2, 3], [np.nan] * 3, [1, 2, 3]])


def test_in_a_pipeline_and_as_a_data_frame():
    table = PEOPLE[["age", "colour"]].fillna({"age": 35, "colour": "red"})
    pipe = make_pipeline(TableEncoder(), LogisticRegression()).fit(table, [0, 1, 0, 1])
    assert pipe.predict(table).shape == (4,)
    frame = TableEncoder().set_output(transform="pandas").fit(table).transform(table)
    assert frame.index.tolist() == LABELS
    assert frame.columns.tolist() == ["age", "colour_blue", "colour_red"]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_the_table_vectorizer_of_skrub_gives_is_a_modality():
    skrub = pytest.importorskip("skrub")
    matrix = skrub.TableVectorizer().fit_transform(PEOPLE[["age", "colour"]])
    X = MultimodalTriples([("a", "r", "b"), ("c", "r", "d")], {"table": matrix})
    assert X.modalities["table"].shape == (4, matrix.shape[1] + 1)  # one column tells the hole of "age"
    assert np.isfinite(X.modalities["table"]).all()


TEXTS = {f"{colour} {thing}": f"a {colour} {thing}" for colour in ("red", "blue") for thing in ("car", "house", "bird")}


def test_texts_of_lower_rank_than_components_have_no_component_of_rounding():
    # Standardised, such a component would put all later texts a million standard deviations away.
    encoder = TableEncoder(random_state=0).fit(pd.DataFrame({"about": [*TEXTS.values()] * 4}))
    seen = encoder.transform(pd.DataFrame({"about": list(TEXTS.values())}))
    later = encoder.transform(pd.DataFrame({"about": ["a red boar", "a green card"]}))
    assert seen.shape[1] <= len(TEXTS)
    assert seen.std(axis=0).min() > 1e-4
    assert np.abs((later - seen.mean(axis=0)) / seen.std(axis=0)).max() < 100


@pytest.mark.parametrize("codes", [["E027", "E120", "E5"], ["E027", "1.5", "2"], ["-E5", "e1", "+"], [".e5", "."]])
def test_codes_of_a_letter_and_digits_are_no_numbers(codes):
    encoder = TableEncoder(random_state=0).fit(pd.DataFrame({"code": codes * 3}))
    assert encoder.kinds_["code"] == "category"
    for written in ("1", "-2.5", ".5", "1e5", "+3E-2", ".5e3"):
        assert TableEncoder().fit(pd.DataFrame({"x": [written, "7", "9"]})).kinds_["x"] == "number"


def test_labels_in_a_column_of_another_name_are_told():
    table = pd.DataFrame({"code": ["x", "y", "z"], "size": [1.0, 2.0, 3.0]})
    with pytest.warns(UserWarning, match="no column 'entity' .* if 'code' has their labels, pass entity='code'"):
        encode_table(table)
    assert encode_table(table, entity="code")["numbers"].index.tolist() == ["x", "y", "z"]
    assert encode_table(table.set_index("code"))["numbers"].index.tolist() == ["x", "y", "z"]
    # Numbers of rows as labels, where nothing else could be one.
    assert encode_table(table[["size"]])["numbers"].index.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "written",
    [["1,234", "5", "12,000.5"], ["12 kg", "7 kg"], ["80%", "7 %"], ["3,7", "2.5"], ["$5", "$1,200"], ["-4 °C", "n/a"]],
)
def test_numbers_in_a_dress_are_told(written):
    table = {"entity": list("abc")[: len(written)], "size": written}
    with pytest.warns(
        UserWarning, match=r"column 'size' is read as text, although .* numbers with units or separators"
    ):
        TableEncoder().fit(table)
    TableEncoder(spec={"size": "text"}).fit(table)


@pytest.mark.parametrize(
    "written", [["1.5", "7"], ["route 66", "12 angry men"], ["12A", "7B"], ["3-4", "5:1"], ["a", "1 m"]]
)
def test_other_texts_are_not_taken_for_numbers(written):
    TableEncoder().fit({"entity": ["a", "b"], "size": written})
