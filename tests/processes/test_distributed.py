"""Training, ranking and checkpoints in two processes of a group, against the same in one."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import group
import joblib
import numpy as np
import pytest
import torch

from skotkge import CrossEntropy, load_checkpoint
from skotkge._embedding.batches import QueryBatches
from skotkge._embedding.blocks import TripleBlocks, blocks_of, dealt_queries, dealt_triples, largest_parts
from skotkge._embedding.model import INITIAL_GAIN, EmbeddingModel
from skotkge._embedding.negatives import Corruption, EvenCorruption, most_even_draws
from skotkge._embedding.objectives import without_answers
from skotkge._embedding.shard import _seed_of, part_of_batch
from skotkge._embedding.shard_files import whole_tables, with_tables
from skotkge._embedding.start import start_blocks
from skotkge._embedding.tables import RowBlocks, scattered_blocks
from skotkge._embedding.trainer import Trainer, explicit_invariants, optimizers_of
from skotkge._estimator.checkpoints import read_state
from skotkge._estimator.saving import load, write_skops
from skotkge._estimator.stores import SHARDS, FolderStore
from skotkge._evidence.embedding import EmbeddingScores
from skotkge._evidence.mixture import Mixture
from skotkge._graph.queries import KnownAnswers, both_directions
from skotkge._ranking.ranker import Ranker
from skotkge._spaces import SpaceSpec
from skotkge._utils import memory

SIZE = 2


def run_group(folder, *tasks, expected=0, size=SIZE):
    """Do tasks in some processes, two by default; return what each gave."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "WORLD_SIZE": str(size)}
    command = [sys.executable, group.__file__, str(folder), *tasks]
    started = [
        subprocess.Popen(command, env=environment | {"RANK": str(rank)}, stderr=subprocess.PIPE, text=True)
        for rank in range(size)
    ]
    told = [process.communicate(timeout=300)[1] for process in started]
    assert started[0].returncode == 0, told[0]
    assert [process.returncode for process in started[1:]] == [expected, *[0] * (size - 2)], told
    ranks = range(size) if expected == 0 else range(1)
    return {task: [joblib.load(folder / f"{task}-{rank}.joblib") for rank in ranks] for task in tasks}


@pytest.fixture(scope="module")
def lost(tmp_path_factory):
    """The folder of a fit in two processes of which one was killed, and what the other said."""
    folder = tmp_path_factory.mktemp("lost")
    return folder, run_group(folder, "lose", expected=-9)["lose"][0]


@pytest.fixture(scope="module")
def groups(lost, tmp_path_factory):
    """What four processes and then two give, with what the four have written."""
    folder = tmp_path_factory.mktemp("groups")
    for size in (2, 4):
        copy_of(lost[0] / "lost", folder / f"lost-{size}")
        (second,) = copy_of(lost[0] / "lost", folder / f"damaged-{size}").glob("*/shards/*-1-of-2.skops")
        second.unlink()
    tasks = "balanced_updates", "write_state", "read_state", "resume", "unwritable"
    of_four = run_group(folder, *tasks, size=4)
    values = dict(zip(("values", "store"), (joblib.load(folder / "values.joblib"), FolderStore(folder)), strict=True))
    tasks = "updates", "states", "best", "ranks", "fit", "read_state", "resume"
    return {4: of_four, 2: run_group(folder, *tasks)} | values


@pytest.fixture(scope="module")
def results(groups):
    return groups[2]


def trained_in_one_process(options, n_epochs, size=SIZE, ids=None):
    """The steps of the processes by one model: the gradients of all parts of a batch, and then one step."""
    whole, spec = group.graph()
    ids = whole if ids is None else ids
    blocks = RowBlocks(group.N_ENTITIES, size, group.SEED)
    order = np.concatenate([rows.numpy() for rows in blocks.rows])
    generator = torch.Generator().manual_seed(group.SEED)
    renumbered = SpaceSpec(spec.structure[order], spec.structure_weight[order])
    model = EmbeddingModel(renumbered, group.N_RELATIONS, options, generator, torch.float64)
    numbered, of_graph, loops = blocks.renumbered(ids), (blocks.edges, options, generator), group.loops()
    if isinstance(options.objective, CrossEntropy):
        trained, dealt, lists = dealt_queries(numbered, group.N_RELATIONS, *of_graph)
        loops = without_answers(loops, lists)
    else:
        trained, dealt = torch.as_tensor(numbered), dealt_triples(numbered, *of_graph)
    parts = [loss_of_part(model, trained[rows].numpy(), numbered, loops, options, blocks.edges) for rows in dealt]
    optimizers = optimizers_of(model, options)
    for epoch in range(n_epochs):
        for rank, (_, draws, samples) in enumerate(parts):
            draws.manual_seed(_seed_of(group.SEED, epoch, rank, size))
            samples.manual_seed(_seed_of(group.SEED, epoch))
        batches = [iter(loss.batches()) for loss, *_ in parts]
        while step_of_all(model, parts, [next(batch, None) for batch in batches], optimizers):
            pass
    structure = np.empty((group.N_ENTITIES, group.WIDTH))
    structure[order] = model.structure.detach().numpy()
    return {"structure": structure, "relations": model.relations.detach().numpy()}


def loss_of_part(model, own, numbered, loops, options, edges):
    """The loss of what a process trains, and what it draws its batches and its samples from."""
    draws, samples, n_batches = torch.Generator(), torch.Generator(), -(-len(numbered) // options.batch_size)
    options = group.replace(options, batch_size=part_of_batch(options, own, n_batches, edges))
    asks_queries = isinstance(options.objective, CrossEntropy)
    of_loss = KnownAnswers.of_pairs(*own.T, group.N_RELATIONS) if asks_queries else own
    loss = options.objective.of_training(model, of_loss, group.N_RELATIONS, options, draws, loops)
    if asks_queries:
        loss.draw_samples_with(samples)
    if getattr(options.objective, "filtered", False) or getattr(options.objective, "sampling", "uniform") != "uniform":
        loss.draw_negatives_of(numbered)
    if options.distributed_batches == "balanced":
        loss.balance(n_batches, edges)
    return loss, draws, samples


def step_of_all(model, parts, batches, optimizers):
    gradients, n_triples = [0.0, 0.0], 0
    for (loss, *_), batch in zip(parts, batches, strict=True):
        if batch is None:
            continue
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward(batch)
        number = loss.n_triples(batch)
        n_triples += number
        for position, table in enumerate((model.structure, model.relations)):
            gradients[position] = gradients[position] + number * table.grad.to_dense()
    if n_triples:
        with explicit_invariants():
            model.structure.grad = (gradients[0] / n_triples).to_sparse(1)
            model.relations.grad = gradients[1] / n_triples
            for optimizer in optimizers:
                optimizer.step()
    return n_triples


class FirstOfThree:
    """The first process of a group whose others note what they are sent."""

    rank, size = 0, 3

    def __init__(self):
        self.sent = [[] for _ in range(self.size)]

    def broadcast(self, value):
        return value

    def scatter_rows(self, table, rows, what):
        for of_process, chosen in zip(self.sent, rows, strict=True):
            of_process.append(table[chosen])
        return table[rows[0]]


def test_a_start_is_sent_in_blocks_of_rows(monkeypatch):
    monkeypatch.setattr(memory, "LARGEST_BLOCK", memory.COPIES * 8 * 5 * 7)  # 7 rows at a time
    start, processes = np.random.RandomState(3).standard_normal((23, 5)), FirstOfThree()
    places = RowBlocks(23, 3, seed=1)
    blocks = list(start_blocks(start, torch.float64))
    assert len(blocks) == 4
    own = scattered_blocks(processes, 23, places.number, blocks)
    np.testing.assert_array_equal(own, start[places.rows[0]])
    for rows, sent in zip(places.rows, processes.sent, strict=True):
        table = np.full((len(rows), 5), np.nan)
        table[torch.cat(sent[::2])] = torch.cat(sent[1::2])
        np.testing.assert_array_equal(table, start[rows])


@pytest.mark.parametrize("name", group.PROBLEMS)
def test_update_is_that_of_one_process(results, name):
    options = group.PROBLEMS[name]
    expected, start = trained_in_one_process(options, 2), group.graph()[1].structure
    found = results["updates"][0][name]
    assert np.abs(expected["structure"] - INITIAL_GAIN * start).max() > 0.05
    for table in ("structure", "relations"):
        np.testing.assert_allclose(found[table], expected[table], atol=1e-6)


@pytest.mark.parametrize("name", group.PROBLEMS)
def test_messages_of_balanced_batches_have_one_size(results, name):
    sent = results["updates"][0][name]["sent"]
    sizes = {what: {size for found, *size in sent if found == what for size in [tuple(size)]} for what, *_ in sent}
    if name in group.BALANCED:
        assert set(sizes) == {"ids", "rows", "gradients"}
        assert {len(of_kind) for of_kind in sizes.values()} == {1}
        assert sizes["ids"] == sizes["gradients"]
    elif name == "cross-entropy":
        assert len(sizes["ids"]) > 1
        assert len(sizes["counts"]) == 1


@pytest.mark.parametrize("graph", ["graph", "star"])
@pytest.mark.parametrize("name", group.BALANCED)
def test_update_of_four_processes_is_that_of_one(groups, name, graph):
    found = groups[4]["balanced_updates"][0][graph][name]
    ids = group.star() if graph == "star" else None
    expected = trained_in_one_process(group.PROBLEMS[name], 2, size=4, ids=ids)
    for table in ("structure", "relations"):
        np.testing.assert_allclose(found[table], expected[table], atol=1e-6)


def test_even_negatives_are_uniform_and_as_many_from_each_shard():
    n_entities, n_shards, n_negatives = 60, 4, 100
    corruption = Corruption(np.zeros((1, 3), int), 1, n_entities, "uniform", torch.Generator().manual_seed(0))
    draws = torch.stack([EvenCorruption(corruption)._entities(n_negatives, "cpu") for _ in range(2_000)])
    of_shards = torch.stack([((draws // 15) == shard).sum(1) for shard in range(n_shards)])
    assert of_shards.eq(n_negatives // n_shards).all()
    assert of_shards.max() <= most_even_draws(n_negatives, n_entities, 15)
    # 200,000 draws: binomial counts of 60 entities with a standard deviation of 57, and those of each place of 2,000.
    counts = torch.bincount(draws.ravel(), minlength=n_entities)
    assert (counts - 200_000 / n_entities).abs().max() < 5 * 57
    first = torch.bincount(draws[:, 0], minlength=n_entities)
    assert (first - 2_000 / n_entities).abs().max() < 5 * (2_000 / n_entities) ** 0.5


def test_each_triple_is_in_one_balanced_batch_of_an_epoch():
    ids, _ = group.graph()
    blocks = blocks_of(ids, [0, 11, 22, 33, group.N_ENTITIES])
    for n_batches in (1, 7, 100, 400):
        batches = list(TripleBlocks(blocks, n_batches, "cpu", torch.Generator()))
        np.testing.assert_array_equal(np.unique(torch.cat(batches), axis=0), ids)
        largest = largest_parts(blocks, n_batches)
        for batch in batches:
            parts = [len(part) for part in blocks_of(batch.numpy(), [0, 11, 22, 33, group.N_ENTITIES])]
            assert all(most - 1 <= part <= most for part, most in zip(parts, largest, strict=True))


@pytest.mark.parametrize("batches", ["random", "balanced"])
def test_each_process_has_whole_pieces_of_queries(batches):
    ids, _ = group.graph()
    ids = np.concatenate([ids, group.star()])
    options = group.replace(group.OPTIONS, distributed_batches=batches)
    edges = [0, 11, 22, 33, group.N_ENTITIES]
    pairs, dealt, whole = dealt_queries(ids, group.N_RELATIONS, edges, options, torch.Generator().manual_seed(0))
    np.testing.assert_array_equal(np.sort(torch.cat(dealt)), np.arange(2 * len(ids)))
    if batches == "random":
        # A piece of at most four answers is in one process: no query is in more processes than it has pieces.
        parts = [np.unique(pairs[rows][:, :2], axis=0) for rows in dealt]
        n_pieces = len(whole.split(4)[0])
        assert len(whole) < sum(map(len, parts)) <= n_pieces
        sizes = [len(rows) for rows in dealt]
        assert max(sizes) - min(sizes) <= 4 * len(edges)
        return
    for rank, rows in enumerate(dealt):
        assert ((pairs[rows][:, 0] >= edges[rank]) & (pairs[rows][:, 0] < edges[rank + 1])).all()


def test_balanced_batches_have_as_many_answers_of_each_shard_in_every_epoch():
    ids, _ = group.graph()
    edges, lists = [0, 11, 22, 33, group.N_ENTITIES], KnownAnswers(ids, group.N_RELATIONS)
    no_loops = np.zeros(2 * group.N_RELATIONS, dtype=bool)
    batches = QueryBatches(lists, 7, no_loops, "cpu", torch.Generator().manual_seed(0), edges=edges)
    epochs = [[np.histogram(batch.answers, edges)[0] for batch in batches] for _ in range(2)]
    np.testing.assert_array_equal(*epochs)
    np.testing.assert_array_equal(np.max(epochs[0], axis=0), batches.most_answers)
    assert np.sum(epochs[0], axis=0).sum() == 2 * len(ids)
    first, second = ([batch.sources.tolist() for batch in batches] for _ in range(2))
    assert first != second


@pytest.mark.parametrize(("n_shards", "batch_size", "fullest"), [(4, 512, 1.1), (16, 512, 1.4), (16, 4096, 1.1)])
def test_balanced_batches_have_about_as_many_answers_of_each_shard(n_shards, batch_size, fullest):
    rng = np.random.RandomState(0)
    ids = np.unique(
        np.column_stack([rng.randint(3000, size=60_000), rng.randint(5, size=60_000), rng.randint(3000, size=60_000)]),
        axis=0,
    )
    edges = np.linspace(0, 3000, n_shards + 1).astype(int).tolist()
    options = group.replace(group.OPTIONS, distributed_batches="balanced")
    pairs, dealt, _ = dealt_queries(ids, 5, edges, options, torch.Generator())
    own, n_batches = pairs[dealt[0]].numpy(), len(ids) // batch_size
    lists = KnownAnswers.of_pairs(*own.T, 5)
    batches = QueryBatches(lists, n_batches, np.zeros(10, dtype=bool), "cpu", torch.Generator(), edges=edges)
    assert batches.most_answers.max() < fullest * max(4, len(own) / n_batches / n_shards)


@pytest.mark.parametrize("edges", [None, [0, 20, group.N_ENTITIES]])
def test_a_process_may_have_nothing_to_train(edges):
    nothing = KnownAnswers(np.empty((0, 3), dtype=np.int64), group.N_RELATIONS)
    no_loops = np.zeros(2 * group.N_RELATIONS, dtype=bool)
    batches = QueryBatches(nothing, 3, no_loops, "cpu", torch.Generator(), edges=edges)
    assert not [batch for batch in batches if len(batch.answers)]
    assert edges is None or not batches.most_answers.any()


def test_loss_falls(results):
    for of_problem in results["updates"][0].values():
        first, second = of_problem["epochs"]
        assert second[0] < first[0] < 1.5 * first[1]
        assert first[2]


def test_state_goes_on_in_the_same_and_in_another_number_of_processes(results):
    kept = results["states"][0]
    for name, table in kept["ahead"].items():
        np.testing.assert_array_equal(kept["again"][name], table)
    ids, spec = group.graph()
    options = group.replace(group.OPTIONS, max_iter=2)
    alone = Trainer(spec, ids, group.N_RELATIONS, options, seed=group.SEED)
    alone.load_state_dict(kept["state"])
    structure, taken = kept["state"]["parameters"]["structure"], alone.state_dict()["parameters"]["structure"]
    np.testing.assert_array_equal(taken, structure)
    trained = alone.run()
    assert len(trained.losses) == 2
    assert trained.losses[1] < trained.losses[0]


def test_the_best_epoch_is_kept_where_its_rows_are(results):
    found = results["best"][0]
    wanted = found.pop("two epochs")
    assert set(found) == {"kept", "so far", "told", "again"}
    for tables in found.values():
        for name, table in wanted.items():
            np.testing.assert_array_equal(tables[name], table)


def test_ranks_and_best_answers_are_those_of_one_process(results):
    ids, spec = group.graph()
    rng = np.random.RandomState(1)
    entities = spec.structure_weight[:, None] * np.round(rng.standard_normal((group.N_ENTITIES, group.WIDTH)))
    relations = np.round(rng.standard_normal((2 * group.N_RELATIONS, group.WIDTH)))
    scores = EmbeddingScores(group.DistMult(), entities, relations, "cpu")
    ranker = Ranker(Mixture([scores], excludes_self_loops=group.loops()))
    queries, known = both_directions(ids[:60], group.N_RELATIONS), KnownAnswers(ids, group.N_RELATIONS)
    ranks, (answers, best) = ranker.ranks(*queries, known), ranker.best(*queries[:2], 7, known)
    for of_process in results["ranks"]:
        for found_ranks, (found_answers, found_best) in of_process.values():
            np.testing.assert_array_equal(found_ranks, ranks)
            np.testing.assert_array_equal(found_best, best)
            different = found_answers != answers
            np.testing.assert_array_equal(different & ~has_ties(best), False)


def has_ties(best):
    """Tell which of the best scores are shared, or may be with answers that are left out."""
    equal = best[:, 1:] == best[:, :-1]
    last = np.ones((len(best), 1), dtype=bool)
    return np.hstack([equal, last]) | np.hstack([~last, equal]) | (best == best[:, -1:])


def test_shared_answers_are_those_of_one_process(results):
    for of_process in results["fit"]:
        for shared, alone in zip(of_process["answers"], of_process["answers alone"], strict=True):
            np.testing.assert_array_equal(shared, alone)


def test_all_processes_have_learned_the_same(results):
    for name in ("whole", "balanced", "resumed", "alone"):
        for first, second in zip(*(of_process[name] for of_process in results["fit"]), strict=True):
            np.testing.assert_array_equal(first, second)


def test_failed_fit_is_told_everywhere_and_goes_on(results):
    first, second = results["fit"]
    assert first["failed"] == "ArithmeticError: the second epoch"
    assert "failed in the first process of the group: ArithmeticError: the second epoch" in second["failed"]
    for whole, resumed in zip(first["whole"], first["resumed"], strict=True):
        np.testing.assert_array_equal(whole, resumed)


def test_bad_parameters_are_told_everywhere(results):
    first, second = results["fit"]
    assert first["refused"].startswith("ValueError: score_function='complex' needs an even number")
    assert "score_function='complex' needs an even number" in second["refused"]


def test_filtered_negatives_are_not_balanced(results):
    first, second = results["fit"]
    assert first["filtered"].startswith("ValueError: distributed_batches='balanced' draws negatives evenly")
    assert "set filtered=False" in second["filtered"]


def test_what_is_not_shared_is_said(results):
    first, second = results["fit"]
    assert any("'structure' is trained by the first of the 2 processes alone" in told for told in first["warned"])
    assert not second["warned"]


def test_bytes_are_those_of_the_messages(results):
    sent = results["fit"][0]["bytes"]
    assert sent["rows"] == sent["gradients"] > 0
    width, bytes_of_number, bytes_of_float = 8, 8, 4
    assert sent["rows"] // (width * bytes_of_float) == sent["ids"] // bytes_of_number
    n_of_second = (group.N_ENTITIES - 1) // 2
    # Rows with their numbers, and weights.
    assert sent["start"] == n_of_second * ((width + 1) * bytes_of_float + bytes_of_number)


def test_killed_process_ends_the_run(lost):
    _, message = lost
    assert "another process of the group has ended" in message
    assert "checkpoint" in message


def test_a_checkpoint_has_the_rows_of_each_process_once(lost):
    (written,) = (lost[0] / "lost").iterdir()
    shards = sorted((written / SHARDS).iterdir())
    assert [path.stem.split("-", 3)[3] for path in shards] == ["0-of-2", "1-of-2"]
    names = load(written / "train-0-running.skops")["shards"]["names"]
    assert names == [path.stem for path in shards]
    n_rows = [len(load(path)["rows"]["structure"]) for path in shards]
    assert n_rows == [20, 20]  # the last entity has no triple


def test_a_fit_goes_on_in_one_process(lost, tmp_path):
    folder, seen = copy_of(lost[0] / "lost", tmp_path / "one"), group.Seen()
    so_far = load_checkpoint(folder)
    assert so_far.n_iter_ == 1  # the second had no time to be written
    resumed = group.classifier(folder, CrossEntropy(n_sampled=10)).fit(group.train_labels(), callbacks=[seen])
    assert seen.epochs == [2, 3, 4]
    assert resumed.n_iter_ == 4
    np.testing.assert_allclose(resumed.loss_curve_[:1], so_far.loss_curve_)
    (written,) = folder.iterdir()
    assert {path.stem for path in written.glob("*.skops")} == {"fit", "train-0", "refit-0", "finished"}
    assert not list((written / SHARDS).iterdir())


@pytest.mark.parametrize("size", [2, 4])
def test_a_fit_goes_on_in_other_numbers_of_processes(groups, size):
    first, *others = groups[size]["resume"]
    assert first["epochs"] == [2, 3, 4]
    for of_process in others:
        for found, expected in zip(of_process["learned"], first["learned"], strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("size", [2, 4])
def test_a_missing_file_of_a_process_is_told_by_its_name(groups, size):
    first, *others = groups[size]["resume"]
    assert re.match(r"ValueError: \S+/shards/train-0-\w+-1-of-2.skops is missing", first["refused"])
    for of_process in others:
        assert "1-of-2.skops is missing" in of_process["refused"]


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-20])


def of_another_epoch(path):
    values = load(path)
    write_skops(values | {"token": "0" * 8}, path)


@pytest.mark.parametrize("damage", [flipped, cut_off, of_another_epoch], ids=lambda damage: damage.__name__)
def test_a_damaged_file_of_a_process_is_told_by_its_name(lost, tmp_path, damage):
    folder = copy_of(lost[0] / "lost", tmp_path / "damaged")
    (path,) = folder.glob("*/shards/*-1-of-2.skops")
    damage(path)
    told = f"{re.escape(path.name)} is .*(damaged|of another checkpoint)"
    with pytest.raises(ValueError, match=told):
        group.classifier(folder, CrossEntropy(10)).fit(group.train_labels())
    with pytest.raises(ValueError, match=told):
        load_checkpoint(folder)


def test_a_model_so_far_is_read_again_where_a_running_fit_has_gone_on(lost, tmp_path, monkeypatch):
    folder = copy_of(lost[0] / "lost", tmp_path / "running")
    (written,) = folder.iterdir()
    store = FolderStore(written)
    newer = store.read("train-0-running")
    older = newer | {"shards": newer["shards"] | {"token": "0", "names": ["gone-0", "gone-1"]}}
    found = iter([older])
    read = FolderStore.read
    monkeypatch.setattr(FolderStore, "read", lambda self, name, *rest: next(found, None) or read(self, name, *rest))
    assert read_state(store, "train-0-running")["shards"] == newer["shards"]


@pytest.mark.parametrize("size", [2, 4])
def test_the_state_of_four_processes_is_read_by_any_number(groups, size):
    _, expected = groups["values"]
    assert expected["trainer"]["best"][1] == 2  # of three epochs
    for found in groups[size]["read_state"][0]:
        assert_same(found["trainer"], expected["trainer"])
        assert_same(of_tables(found["so_far"]), of_tables(expected["so_far"]))


def test_the_state_of_four_processes_is_read_by_one(groups):
    values, expected = groups["values"]
    tables = whole_tables(groups["store"], values["shards"])
    found = with_tables(values, tables)
    assert_same(found["trainer"], expected["trainer"])
    assert_same(of_tables(found["so_far"]), of_tables(expected["so_far"]))


def of_tables(so_far):
    return {name: value for name, value in so_far.items() if name != "bytes_sent"}


def assert_same(found, expected):
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        found, expected = [found[key] for key in expected], list(expected.values())
    if isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for pair in zip(found, expected, strict=True):
            assert_same(*pair)
    else:
        np.testing.assert_array_equal(found, expected)


def test_a_process_that_cannot_write_stops_nothing(groups):
    first = groups[4]["unwritable"][0]
    assert any("a checkpoint could not be written" in told for told in first["warned"])
    for found, expected in zip(first["blocked"], first["whole"], strict=True):
        np.testing.assert_array_equal(found, expected)


def copy_of(folder, place):
    return Path(shutil.copytree(folder, place))
