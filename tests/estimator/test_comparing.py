"""Two models on the same triples, and files of triples that are scored a piece at a time."""

import bz2
import gzip
import lzma
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

import skotkge
from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge.baselines import RuleBaseline


@pytest.fixture(scope="module")
def models(emoji):
    rules = RuleBaseline(random_state=0).fit(emoji.train)
    return rules, RuleBaseline(min_confidence=1.0, random_state=0).fit(emoji.train)


class TestCompare:
    @pytest.mark.parametrize(("metric", "name"), [("mrr", "mrr"), ("mean_rank", "mean_rank"), ("hits@10", "hits@10")])
    def test_values_are_those_of_evaluate_and_the_interval_that_of_a_loop(self, models, emoji, metric, name):
        a, b = models
        options = dict(sides=("tail",), candidates="seen")
        told = skotkge.compare(a, b, emoji.test, metric=metric, known=emoji.valid, random_state=0, **options)
        wanted = [model.evaluate(emoji.test, known=emoji.valid, **options)[name] for model in models]
        np.testing.assert_allclose(told.values, wanted)
        assert told.difference == pytest.approx(wanted[0] - wanted[1])
        of = {"mrr": lambda r: 1 / r, "mean_rank": lambda r: r, "hits@10": lambda r: r <= 10}[metric]
        both = [of(model.rank(emoji.test, known=emoji.valid, **options)).astype(float).mean(axis=1) for model in models]
        rng, n_triples = np.random.RandomState(1), len(emoji.test)
        samples = (rng.randint(n_triples, size=n_triples) for _ in range(2000))
        differences = [both[0][rows].mean() - both[1][rows].mean() for rows in samples]
        low, high = np.quantile(differences, [0.025, 0.975])
        np.testing.assert_allclose(told.interval, (low, high), atol=0.15 * (high - low))
        assert told.is_certain == (told.interval[0] > 0 or told.interval[1] < 0)

    def test_a_model_does_not_differ_from_itself(self, models, emoji):
        told = skotkge.compare(models[0], models[0], emoji.test, random_state=0)
        assert told.difference == 0
        assert told.interval == (0, 0)
        assert not told.is_certain
        assert "difference +0.0000, 95 % interval [+0.0000, +0.0000], 639 triples" in str(told)

    def test_the_generator_and_the_confidence_decide(self, models, emoji):
        first, again, wide = (
            skotkge.compare(*models, emoji.test, random_state=0, confidence=level, n_resamples=300).interval
            for level in (0.9, 0.9, 0.99)
        )
        assert first == again
        assert wide[0] < first[0] < first[1] < wide[1]

    def test_both_leave_out_what_either_was_fitted_on(self, models, emoji):
        more = RuleBaseline(random_state=0).fit(emoji.train.with_triples([*emoji.train.labels, *emoji.valid.labels]))
        told = skotkge.compare(models[0], more, emoji.test, sides="tail", random_state=0)
        filtered = models[0].rank(emoji.test, known=emoji.valid, sides="tail")
        np.testing.assert_array_equal(told.ranks[0], filtered)
        np.testing.assert_array_equal(told.ranks[1], more.rank(emoji.test, sides="tail"))

    def test_a_pipeline_transforms_the_triples(self, small):
        train, test = small[:-20], small[-20:]
        fuse, kge = OTFusionTransformer(8, random_state=0), OTKGEClassifier(max_iter=2, random_state=0)
        pipe = Pipeline([("fuse", fuse), ("kge", kge)]).fit(train)
        rules = RuleBaseline(random_state=0).fit(train)
        told = skotkge.compare(pipe, rules, test, random_state=0)
        assert told.values[0] == pytest.approx(pipe["kge"].evaluate(test)["mrr"])

    def test_what_cannot_be_compared_is_told(self, models, emoji):
        with pytest.raises(ValueError, match="metric='auc'; give 'mrr'"):
            skotkge.compare(*models, emoji.test, metric="auc")
        other = RuleBaseline(random_state=0).fit([("a", "r", "b"), ("b", "r", "c")])
        with pytest.raises(ValueError, match="the models rank different entities"):
            skotkge.compare(models[0], other, emoji.test)
        with pytest.warns(UserWarning, match="were trained on"):
            skotkge.compare(models[0], models[0], emoji.train[:5])
        with pytest.raises(TypeError, match="cannot rank"):
            skotkge.compare(models[0], OTFusionTransformer(), emoji.test)


class TestScoreFile:
    @pytest.mark.parametrize("ending", [".tsv", ".csv", ".txt", ".tsv.gz", ".csv.bz2", ".tsv.xz", ".csv.zip"])
    @pytest.mark.parametrize("chunk_size", [7, 100_000])
    def test_scores_are_those_of_decision_function(self, models, emoji, tmp_path, ending, chunk_size):
        rows, sep = emoji.test.labels, "," if ending.startswith(".csv") else "\t"
        text = "".join(sep.join(row) + "\n" for row in rows.tolist()).encode()
        source = tmp_path / f"candidates{ending}"
        packed = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}.get(ending[-3:].strip("."), bytes)
        if ending.endswith("bz2"):
            packed = bz2.compress
        if ending.endswith("zip"):
            with zipfile.ZipFile(source, "w") as archive:
                archive.writestr("candidates.csv", text)
        else:
            source.write_bytes(packed(text))
        n_rows = skotkge.score_file(models[0], source, tmp_path / "scored.tsv", side="tail", chunk_size=chunk_size)
        # Texts, as pandas before 3 rounds the last digit of numbers that it reads.
        frame = pd.read_csv(tmp_path / "scored.tsv", sep="\t", dtype=str)
        assert n_rows == len(frame) == len(rows)
        assert frame[["head", "relation", "tail"]].to_numpy().tolist() == rows.tolist()
        log_odds = models[0].decision_function(rows, side="tail")
        np.testing.assert_array_equal([float(text) for text in frame["score"]], log_odds)
        np.testing.assert_allclose(frame["probability"].astype(float), 1 / (1 + np.exp(-log_odds)))

    @pytest.mark.parametrize(
        ("name", "text", "options"),
        [
            ("a.csv", 'head,relation,tail\r\n"a, ""b""",r,"two\nlines"\r\n\r\nc,r,d\r\n', {"header": True}),
            ("a.tsv", "a b\tr\tc d\ra\tr\te\r", {}),
            ("a.txt", "  a   r\tb\n c r d\n", {"sep": r"\s+"}),
            ("a.csv", "1;a;r;b\n2;c;r;d\n", {"sep": ";", "columns": (1, 2, 3)}),
            ("a.csv", "weight,Target,Source,Type\n1,b,a,r\n", {"header": True}),
            ("a.csv", "a,r," + "b" * 200_000 + "\n", {}),
        ],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    @pytest.mark.parametrize("packed", [bytes, gzip.compress, bz2.compress, lzma.compress])
    def test_tables_are_read_as_everywhere(self, models, tmp_path, name, text, options, encoding, packed):
        source, scored = tmp_path / name, tmp_path / "scored.csv"
        source.write_bytes(packed(text.encode(encoding)))
        read = MultimodalTriples.from_csv if name.endswith("csv") else MultimodalTriples.from_tsv
        rows = read(source, duplicates="keep", **options).labels.tolist()
        assert skotkge.score_file(models[0], source, scored, handle_unknown="last", **options) == len(rows)
        assert MultimodalTriples.from_csv(scored, header=True, duplicates="keep").labels.tolist() == rows

    def test_further_columns_without_names_are_refused_as_everywhere(self, models, tmp_path):
        (tmp_path / "a.csv").write_text("1,a,r,b\n")
        with pytest.raises(ValueError, match=r"line 1: 4 fields .*Say which are head, relation and tail"):
            skotkge.score_file(models[0], tmp_path / "a.csv", tmp_path / "b.csv")

    def test_columns_and_headers(self, models, emoji, tmp_path):
        head, relation, tail = emoji.test.labels[0]
        source, scored = tmp_path / "a.csv", tmp_path / "b.csv"
        source.write_text(f'tail,note,head,relation\n{tail},"x, ""y""",{head},{relation}\n')
        with pytest.warns(UserWarning, match="line 1, tail,note,head,relation, is taken for the names of columns"):
            skotkge.score_file(models[0], source, scored)
        assert scored.read_text().splitlines()[1].startswith(f"{head},{relation},{tail},")
        source.write_text(f"{tail};{head};{relation}\n\n")
        skotkge.score_file(models[0], source, scored, columns=(1, 2, 0), sep=";", header=False)
        assert scored.read_text().splitlines()[1].startswith(f"{head},{relation},{tail},")
        source.write_text("")
        assert skotkge.score_file(models[0], source, scored) == 0

    def test_memory_does_not_grow_with_the_file(self, models, emoji, tmp_path):
        peaks = []
        for n_copies in (10, 60):
            source = tmp_path / "long.tsv"
            source.write_text("".join("\t".join(row) + "\n" for row in emoji.test.labels.tolist()) * n_copies)
            tracemalloc.start()
            skotkge.score_file(models[0], source, tmp_path / "scored.tsv", chunk_size=500)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < 1.5 * peaks[0]

    def test_what_is_wrong_is_told_and_nothing_is_left(self, models, emoji, tmp_path):
        row = "\t".join(emoji.test.labels[0])
        source, scored = tmp_path / "a.tsv", tmp_path / "scored.tsv"
        for text, message in [
            (f"{row}\nx\ty\n", "line 2: 2 fields .*expected 3, so column 3 is missing"),
            (f"{row}\n{row}\tmore\n", "line 2: 4 fields .*expected 3"),
            (f"{row}\nx\t\ty\n", "line 2, column 2: the relation is empty; give the label"),
            (f"{row}\nstranger\tannotated_with\tother\n", "fit has not seen: 'stranger'"),
        ]:
            source.write_text(text)
            with pytest.raises(ValueError, match=message):
                skotkge.score_file(models[0], source, scored, chunk_size=1)
            assert [path.name for path in tmp_path.iterdir()] == ["a.tsv"]
        assert skotkge.score_file(models[0], source, scored, handle_unknown="last") == 2
        assert scored.read_text().splitlines()[2].endswith("\t-inf\t0.0")
        source.write_bytes(f"{row}\nx\t".encode() + b"\xff\n")
        with pytest.raises(ValueError, match=r"line 2: .*\(byte 3 of the line\); convert the file to UTF-8"):
            skotkge.score_file(models[0], source, scored)
        with pytest.raises(ValueError, match=r"destination .*: expected a name that ends with \.csv or \.tsv"):
            skotkge.score_file(models[0], source, tmp_path / "scored.xlsx")
        with pytest.raises(ValueError, match="expected a name that ends with"):
            skotkge.score_file(models[0], tmp_path / "a.parquet", scored)
        with pytest.raises(ValueError, match="chunk_size=0"):
            skotkge.score_file(models[0], source, scored, chunk_size=0)
