"""``complete``: ask a saved model for what is missing in triples."""

import csv
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from rich.console import Console

from .._utils.whole_files import check_writable, whole_file
from ._options import add_known_option, add_model_option, add_reading_options
from ._reading import check_labels, load_model, read_triples
from ._tables import answer_table

COLUMNS = ("head", "relation", "tail")
STYLES = {".csv": {}, ".tsv": dict(delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None)}


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = (
        "Fill the empty place of triples: give two of --head, --relation and --tail, or a file of them."
    )
    parser.set_defaults(run=run)
    add_model_option(parser)
    for column in COLUMNS:
        parser.add_argument(f"--{column}", metavar="LABEL")
    parser.add_argument(
        "--questions", type=Path, metavar="FILE", help="file of triples, each with one empty field: the one to fill"
    )
    parser.add_argument("-k", type=int, default=10, help="number of answers (default: %(default)s)")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the completed triples to this .csv or .tsv file"
    )
    add_known_option(parser)
    add_reading_options(parser)


def run(options):
    """Answer the questions of the options; return the exit status."""
    _check_output(options.output)
    questions = _questions(options)
    model = load_model(options.model, "complete", options.trust)
    if options.questions is None:
        _check_given_labels(model, questions[0])
    else:
        check_labels(model, questions, options.questions, "leave such lines out")
    known = [read_triples(path, options) for path in options.known]
    answers = model.complete(questions, k=options.k, known=np.concatenate(known) if known else None)
    found = np.isfinite(answers.scores)
    console = Console(soft_wrap=True)
    if options.output is None:
        told = zip(answers.labels, answers.scores, answers.probabilities, strict=True)
        for question, columns, kept in zip(questions, told, found, strict=True):
            console.print(answer_table(question, *(column[kept] for column in columns)))
    else:
        _write(options.output, questions, answers, found)
        console.print(f"{found.sum()} answers written to {options.output}", highlight=False, markup=False)
    return 0


def _check_output(path):
    if path is None:
        return
    check_writable(path, "--output")
    if path.suffix.lower() not in STYLES:
        raise ValueError(f"--output {path}: expected a name that ends with .csv or .tsv")


def _questions(options):
    """Return the questions as an object array with one None in each row."""
    given = np.array([[options.head, options.relation, options.tail]], dtype=object)
    n_given = sum(label is not None for label in given[0])
    if options.questions is None:
        if n_given != 2:
            raise ValueError(f"{n_given} of --head, --relation and --tail are given; give two of them, or --questions")
        return given
    if n_given:
        raise ValueError("--questions and --head, --relation or --tail are both given; give one or the other")
    questions = read_triples(options.questions, options, empty="keep")
    questions[questions == ""] = None
    n_empty = np.equal(questions, None).sum(axis=1)
    if (n_empty != 1).any():
        row = int((n_empty != 1).argmax())
        raise ValueError(
            f"{options.questions}: question {row + 1} has {n_empty[row]} empty fields; leave the one to be filled empty"
        )
    return questions


def _check_given_labels(model, question):
    """Refuse a label that the model has not seen, and name similar ones."""
    for column, label in zip(COLUMNS, question, strict=True):
        labels = (model.relations_ if column == "relation" else model.entities_).tolist()
        if label is None or label in labels:
            continue
        strings = [known for known in labels if isinstance(known, str)]
        similar = get_close_matches(label, strings)
        hint = f"similar ones: {', '.join(map(repr, similar))}" if similar else f"the first is {labels[0]!r}"
        raise ValueError(f"--{column} {label!r} is none of the {len(labels)} labels that the model has seen; {hint}")


def _write(path, questions, answers, found):
    """Write the completed triples with the number of their question, rank, score and probability."""
    style = STYLES[path.suffix.lower()]
    try:
        with whole_file(path, "w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n", **style)
            table.writerow(["question", *COLUMNS, "rank", "score", "probability"])
            for number, question in enumerate(questions):
                asked = list(question).index(None)
                for rank, place in enumerate(np.flatnonzero(found[number]), 1):
                    triple = question.copy()
                    triple[asked] = answers.labels[number, place]
                    told = answers.scores[number, place], answers.probabilities[number, place]
                    table.writerow([number + 1, *triple, rank, *told])
    except csv.Error as error:
        raise ValueError(f"--output {path}: a label has a tab or a line end; write a .csv file") from error
