"""Tables of results on the terminal."""

import numpy as np
from rich.table import Table
from rich.text import Text

from .._graph.headers import COLUMNS

METRICS = ("mrr", "hits@1", "hits@3", "hits@10", "mean_rank")
SIDES = {"both sides": "", "heads": "head_", "tails": "tail_"}


def ranking_table(title, report):
    """Filtered ranking of triples on both sides and on each.

    Parameters
    ----------
    title : str
    report : dict of str to float
        As from `OTKGEClassifier.evaluate`; sides that it does not have are left out.

    Returns
    -------
    rich.table.Table
    """
    table = Table(title=Text(f"\n{title}, filtered ranking"), title_justify="left")
    table.add_column("")
    for name in ("MRR", "Hits@1", "Hits@3", "Hits@10", "mean rank"):
        table.add_column(name, justify="right")
    for side, prefix in SIDES.items():
        if f"{prefix}mrr" not in report:
            continue
        *shares, mean_rank = (report[prefix + metric] for metric in METRICS)
        table.add_row(side, *(f"{share:.3f}" for share in shares), f"{mean_rank:.1f}")
    return table


def training_table(classifier):
    """Epochs of each trained space, and its score on the validation triples at the epoch kept."""
    table = Table(title="\nTraining", title_justify="left")
    table.add_column("space")
    for name in ("epochs", "kept", "validation score"):
        table.add_column(name, justify="right")
    for name, told in classifier.space_training_.items():
        scores = told["validation_scores"]
        score = f"{scores[told['best_iter'] - 1]:.3f}" if scores else "–"
        table.add_row(Text(name), str(told["n_iter"]), str(told["best_iter"]), score)
    return table


def answer_table(answers, row, places):
    """The answers to one question, the best first.

    Parameters
    ----------
    answers : Completions
    row : int
        The question.
    places : ndarray of shape (k,), dtype bool
        Which of the answers there are.

    Returns
    -------
    rich.table.Table
        With a column of names if the model knows any.
    """
    question, empty = answers.questions.labels[row], answers.questions.empty[row]
    title = ", ".join("?" if empty[position] else _with_name(answers, question, position) for position in range(3))
    table = Table(title=Text(f"\n({title})"), title_justify="left")
    table.add_column("rank", justify="right")
    asked = np.flatnonzero(empty).tolist()
    for position in asked:
        table.add_column(COLUMNS[position], overflow="fold")
        if answers.names is not None and position != 1:
            table.add_column("name" if len(asked) == 1 else f"{COLUMNS[position]} name", overflow="fold")
    table.add_column("score", justify="right")
    table.add_column("probability", justify="right")
    for rank, place in enumerate(np.flatnonzero(places), 1):
        told = []
        for position in asked:
            label = answers.triples[row, place, position]
            told.append(Text(str(label)))
            if answers.names is not None and position != 1:
                told.append(Text(answers.vocabulary.names_of([label])[0] or ""))
        score, probability = answers.scores[row, place], answers.probabilities[row, place]
        table.add_row(str(rank), *told, f"{score:.3f}", f"{probability:.3f}")
    return table


def neighbor_table(found, row):
    """The neighbours of one entity, the most similar first.

    Parameters
    ----------
    found : Neighbors
    row : int
        Which of the entities asked about.

    Returns
    -------
    rich.table.Table
        With a column of names if the model knows any.
    """
    entity = found.asked[row]
    (name,) = found.vocabulary.names_of([entity])
    title = str(entity) if name is None else f"{entity} {name}"
    table = Table(title=Text(f"\nnearest to {title}"), title_justify="left")
    table.add_column("rank", justify="right")
    table.add_column("entity", overflow="fold")
    if found.names is not None:
        table.add_column("name", overflow="fold")
    table.add_column("similarity", justify="right")
    for place, neighbor in enumerate(found.labels[row]):
        if neighbor is None:
            break
        told = [Text(str(neighbor))]
        if found.names is not None:
            told.append(Text(found.names[row, place] or ""))
        table.add_row(str(place + 1), *told, f"{found.similarities[row, place]:.3f}")
    return table


def split_table(title, parts, seen):
    """Sizes of the parts of a split, and how many of their entities and relations training does not have.

    Parameters
    ----------
    title : str
    parts : dict of str to ndarray of shape (n_triples, 3)
        The first is for training.
    seen : callable
        Of an array of labels of triples: sets of its entities and of its relations.

    Returns
    -------
    rich.table.Table
    """
    table = Table(title=Text(f"\n{title}"), title_justify="left")
    table.add_column("part")
    for name in ("triples", "entities", "unseen", "relations", "unseen"):
        table.add_column(name, justify="right")
    known = seen(next(iter(parts.values())))
    for name, triples in parts.items():
        counts = [len(triples)]
        for of_part, of_training in zip(seen(triples), known, strict=True):
            counts += [len(of_part), len(of_part - of_training)]
        table.add_row(Text(name), *map(str, counts))
    return table


def _with_name(answers, question, position):
    (name,) = [None] if position == 1 else answers.vocabulary.names_of(question[[position]])
    return str(question[position]) if name is None else f"{question[position]} {name}"
