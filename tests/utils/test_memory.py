"""Matrices gone through by blocks of rows: the same values as from the whole, in bounded memory."""

import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from helpers import REPOSITORY
from sklearn import config_context

from skotkge import MultimodalTriples, OTFusionTransformer
from skotkge._evidence.relation_maps import whitening
from skotkge._fusion.column_alignment import ScaledColumns, leading_components
from skotkge._fusion.scaling import apply_column_map, column_scaling, standardize_rows
from skotkge._fusion.transport import feature_cost
from skotkge._utils.memory import COPIES, LARGEST_BLOCK, row_blocks

TINY = 0.01  # MiB


@pytest.fixture(params=["float16", "float32", "float64", "memory-mapped"])
def offset_columns(request, rng, tmp_path):
    """400 rows, some of them masked, with a constant column and one with an offset far above its spread."""
    matrix = rng.standard_normal((400, 6)).astype("float32" if request.param == "memory-mapped" else request.param)
    observed = rng.uniform(size=400) < 0.7
    matrix[:, 1] = 0.3
    matrix[:, 2] = matrix[:, 2] / 4 + 1024
    matrix[~observed] = np.nan
    if request.param == "memory-mapped":
        np.save(tmp_path / "matrix.npy", matrix)
        matrix = np.load(tmp_path / "matrix.npy", mmap_mode="r")
    return matrix, observed


def simple_scaling(matrix, observed):
    rows = np.asarray(matrix[observed], dtype=np.float64)
    return rows.mean(axis=0), np.where(np.ptp(rows, axis=0) == 0, 1, rows.std(axis=0))


def simple_scaled(matrix, observed):
    mean, scale = simple_scaling(matrix, observed)
    return np.where(observed[:, None], (np.asarray(matrix, dtype=np.float64) - mean) / scale, 0)


def test_blocks_cover_all_rows_and_follow_the_working_memory():
    for working_memory in (1e-9, TINY, 1024):
        with config_context(working_memory=working_memory):
            blocks = list(row_blocks((1000, 7)))
        assert np.concatenate([np.arange(1000)[rows] for rows in blocks]).tolist() == list(range(1000))
        fitting = working_memory * 2**20 // (COPIES * 8 * 7)
        assert blocks[0].stop == max(1, min(1000, fitting))
    assert next(row_blocks((10**6, 1000))).stop * COPIES * 8 * 1000 <= LARGEST_BLOCK
    assert list(row_blocks((0, 5))) == []


@pytest.mark.parametrize("working_memory", [1e-9, TINY, 1024])
def test_means_and_scales_are_those_of_the_whole_columns(offset_columns, working_memory):
    with config_context(working_memory=working_memory):
        mean, scale = column_scaling(*offset_columns)
    wanted_mean, wanted_scale = simple_scaling(*offset_columns)
    np.testing.assert_allclose(mean, wanted_mean, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(scale, wanted_scale, rtol=1e-10)


@pytest.mark.parametrize("working_memory", [TINY, 1024])
def test_small_spread_beside_a_large_offset_is_kept(rng, working_memory):
    small = rng.standard_normal((5000, 2))
    matrix = 1e9 + np.round(small * 2**16) / 2**16
    with config_context(working_memory=working_memory):
        _, scale = column_scaling(matrix, np.ones(5000, dtype=bool))
    np.testing.assert_allclose(scale, (matrix - 1e9).std(axis=0), rtol=1e-9)


def test_large_constant_columns_are_exactly_zero():
    matrix = np.full((100_000, 3), [0.1, -1e300, 1e-300])
    observed = np.ones(len(matrix), dtype=bool)
    assert not standardize_rows(matrix, observed, *column_scaling(matrix, observed)).any()


@pytest.mark.parametrize("working_memory", [TINY, 1024])
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("standardize", [True, False])
def test_cost_is_that_of_the_whole_scaled_columns(offset_columns, rng, p, standardize, working_memory):
    matrix, observed = offset_columns
    structure, structure_observed = rng.standard_normal((400, 5)), rng.uniform(size=400) < 0.9
    structure[~structure_observed] = 0
    both = observed & structure_observed
    columns = simple_scaled(matrix, observed) if standardize else np.asarray(matrix, dtype=np.float64)
    wanted = (np.abs(columns[both][:, :, None] - structure[both][:, None]) ** p).mean(axis=0)
    with config_context(working_memory=working_memory):
        got = ScaledColumns.fit(matrix, observed, standardize).cost(structure, structure_observed, p)
    np.testing.assert_allclose(got, wanted, rtol=1e-6)


@pytest.mark.parametrize("working_memory", [TINY, 1024])
def test_scaled_and_moved_rows_are_those_of_the_whole(offset_columns, rng, working_memory):
    matrix, observed = offset_columns
    column_map, wanted = rng.standard_normal((6, 4)), simple_scaled(matrix, observed)
    with config_context(working_memory=working_memory):
        scaling = column_scaling(matrix, observed)
        single = standardize_rows(matrix, observed, *scaling, dtype=np.float32)
        np.testing.assert_allclose(standardize_rows(matrix, observed, *scaling), wanted, atol=1e-9)
        np.testing.assert_allclose(
            apply_column_map(matrix, observed, *scaling, column_map), wanted @ column_map, atol=1e-9
        )
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, wanted, rtol=1e-6, atol=1e-7)


def test_integers_and_truth_values_are_matrices_too(rng):
    numbers, structure = rng.randint(5, size=(50, 4)), rng.standard_normal((50, 3))
    for matrix in (numbers, numbers > 2):
        as_floats, given = (
            OTFusionTransformer().fit(columns, structure) for columns in (matrix.astype(np.float64), matrix)
        )
        np.testing.assert_array_equal(given.embedding_, as_floats.embedding_)


@pytest.mark.parametrize("n_columns", [4, 60])
def test_principal_components_of_blocks_are_those_of_the_whole(rng, n_columns):
    matrix = rng.standard_normal((50, n_columns)) @ rng.standard_normal((n_columns, n_columns))
    matrix[:, 1] = matrix[:, 0]
    matrix -= matrix.mean(axis=0)
    whole, parts = leading_components([matrix], 3), leading_components(np.split(matrix, [20, 21, 40]), 3)
    np.testing.assert_allclose(np.abs(matrix @ parts), np.abs(matrix @ whole), atol=1e-10)
    np.testing.assert_allclose(parts.T @ matrix.T @ matrix @ parts / 50, np.eye(3), atol=1e-10)


def test_components_of_columns_that_are_not_standardised_have_mean_zero(rng):
    matrix = 100 + rng.standard_normal((60, 5)) * [1, 2, 3, 4, 5]
    with config_context(working_memory=1e-3):
        fuse = OTFusionTransformer(alignment="pca", standardize=False).fit(matrix, rng.standard_normal((60, 3)))
    np.testing.assert_allclose(np.cov(fuse.transform(matrix).T, bias=True), np.eye(3), atol=1e-10)


def test_whitening_by_blocks_is_that_of_the_whole_and_drops_dependent_columns(rng):
    text = rng.standard_normal((40, 5)).astype(np.float32)
    features = {"text": np.hstack([text, text[:, :2] + text[:, 2:4]]), "image": rng.standard_normal((40, 3))}
    with config_context(working_memory=TINY):
        projections = whitening(features, 10)
    rows = sum(features[name] @ projections[name] for name in features)
    assert rows.shape == (40, 8)
    np.testing.assert_allclose(rows.T @ rows / 40, np.eye(8) / 8, atol=1e-6)


@pytest.mark.parametrize("parameters", [dict(), dict(p=1), dict(alignment="linear"), dict(alignment="pca")], ids=str)
@pytest.mark.parametrize("form", ["triples", "matrix"])
def test_fit_makes_no_copy_of_a_memory_mapped_modality(rng, tmp_path, parameters, form):
    values = rng.standard_normal((20_000, 100)).astype(np.float32)
    values[1:100:2] += values[:100:2]  # so that every other link joins entities that are alike
    np.save(tmp_path / "matrix.npy", values)
    matrix = np.load(tmp_path / "matrix.npy", mmap_mode="r")
    ring = np.column_stack([np.arange(100), np.zeros(100, dtype=int), np.roll(np.arange(100), 1)])
    triples = MultimodalTriples(ring.astype(object), {"text": matrix}, entities=list(range(20_000)))
    X, y = (triples, None) if form == "triples" else (matrix, rng.standard_normal((20_000, 2)))
    fuse = OTFusionTransformer(2, structure="random", random_state=0, **parameters)
    tracemalloc.start()
    try:
        with config_context(working_memory=1):
            fuse.fit(X, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < matrix.nbytes
    assert fuse.modality_names_ == (["text"] if form == "triples" else ["features"])


def test_rows_of_weight_zero_may_hold_anything(rng):
    source, target = rng.standard_normal((30, 3)), rng.standard_normal((30, 2))
    weights = np.repeat([0.0, 1 / 20], [10, 20])
    source[:10] = np.nan
    wanted = feature_cost(source[10:], target[10:])
    np.testing.assert_allclose(feature_cost(source, target, row_weights=weights), wanted)


PEAKS = """
import sys
from pathlib import Path
import numpy as np
from sklearn import config_context
from skotkge import Logistic, MultimodalTriples, OTFusionTransformer, OTKGEClassifier

def status(field):
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return 1024 * int(line.split()[1])

def peak_of(step):
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = status("VmRSS")
    with config_context(working_memory=8):
        step()
    return status("VmHWM") - before

def peaks(n_entities, width):
    rng = np.random.RandomState(0)
    entities = [f"e{number}" for number in range(n_entities)]
    triples = [(entities[head], "r", entities[tail]) for head, tail in enumerate(rng.permutation(n_entities))]
    usual = dict(evidence=("structure",), objective=Logistic(n_negatives=4), max_iter=1, validation_fraction=0)
    X = MultimodalTriples(triples, entities=entities)
    kge = OTKGEClassifier(embedding_dim=width, **usual, device="cpu", random_state=0)
    yield peak_of(lambda: kge.fit(X))
    asked = [(head, relation, None) for head, relation, _ in triples[:300]]
    yield peak_of(lambda: kge.complete(asked))
    yield peak_of(lambda: kge.rank(triples[:300]))
    columns, structure = {"text": rng.standard_normal((n_entities, 20))}, rng.standard_normal((n_entities, width))
    fuse = OTFusionTransformer().fit(columns, structure)
    yield peak_of(lambda: fuse.transform(columns))

list(peaks(100, 2))
for size in map(int, sys.argv[2:]):
    print(*peaks(size, int(sys.argv[1])))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is told by /proc")
def test_peak_memory_is_what_the_guide_says():
    sizes, width, MiB = (3_000, 6_000, 12_000), 200, 2**20
    command = [sys.executable, "-c", PEAKS, str(width), *map(str, sizes)]
    # Arrays are given back to the system when they are freed, so that no peak hides in what an earlier step has left.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "262144"}
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY, env=environment).stdout
    for size, line in zip(sizes, told.splitlines(), strict=True):
        fit, complete, rank, transform = map(int, line.split())
        table = 4 * size * width
        assert 2 * table < fit < 10 * table + 2 * 300 * size + 24 * MiB
        assert max(rank, complete) < 8 * MiB + 8 * MiB + 2 * 400 * size
        assert 4 * table < transform < 6 * table + 24 * MiB
