"""Tables of results on the terminal."""

from rich.table import Table
from rich.text import Text

METRICS = ("mrr", "hits@1", "hits@3", "hits@10", "mean_rank")
SIDES = {"both sides": "", "heads": "head_", "tails": "tail_"}


def ranking_table(title, report):
    """Filtered ranking of triples on both sides and on each.

    Parameters
    ----------
    title : str
    report : dict of str to float
        As from `OTKGEClassifier.evaluate`.

    Returns
    -------
    rich.table.Table
    """
    table = Table(title=Text(f"\n{title}, filtered ranking"), title_justify="left")
    table.add_column("")
    for name in ("MRR", "Hits@1", "Hits@3", "Hits@10", "mean rank"):
        table.add_column(name, justify="right")
    for side, prefix in SIDES.items():
        *shares, mean_rank = (report[prefix + metric] for metric in METRICS)
        table.add_row(side, *(f"{share:.3f}" for share in shares), f"{mean_rank:.1f}")
    return table


def training_table(classifier):
    """Epochs of each trained space, and its filtered MRR on the validation triples at the epoch kept."""
    table = Table(title="\nTraining", title_justify="left")
    table.add_column("space")
    for name in ("epochs", "kept", "validation MRR"):
        table.add_column(name, justify="right")
    for name, told in classifier.space_training_.items():
        scores = told["validation_scores"]
        score = f"{scores[told['best_iter'] - 1]:.3f}" if scores else "–"
        table.add_row(Text(name), str(told["n_iter"]), str(told["best_iter"]), score)
    return table


def answer_table(question, answers, scores, probabilities):
    """The answers to one question, the best first.

    Parameters
    ----------
    question : sequence of head, relation and tail
        One of them is None.
    answers : list of str
    scores, probabilities : list of float

    Returns
    -------
    rich.table.Table
    """
    asked = list(question).index(None)
    shown = ["?" if label is None else str(label) for label in question]
    table = Table(title=Text(f"\n({', '.join(shown)})"), title_justify="left")
    table.add_column("rank", justify="right")
    table.add_column(("head", "relation", "tail")[asked], overflow="fold")
    table.add_column("score", justify="right")
    table.add_column("probability", justify="right")
    for rank, (answer, score, probability) in enumerate(zip(answers, scores, probabilities, strict=True), 1):
        table.add_row(str(rank), Text(str(answer)), f"{score:.3f}", f"{probability:.3f}")
    return table
