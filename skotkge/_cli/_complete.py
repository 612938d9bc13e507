"""``complete``: ask a saved model for what is missing in triples."""

from pathlib import Path

import numpy as np
from rich.console import Console
from sklearn.utils import gen_batches

from .._graph.headers import COLUMNS
from .._ranking.explanation import SHOWN_TRIPLES
from .._utils.messages import shown
from ._options import add_candidates_option, add_known_option, add_model_option, add_reading_options
from ._reading import check_labels, load_model, read_candidates, read_triples
from ._tables import answer_table
from ._writing import add_output_option, check_output, write_rows


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = (
        "Fill the empty positions of triples: give one or two of --head, --relation and --tail, or a file of questions."
    )
    parser.set_defaults(run=run)
    add_model_option(parser)
    for column in COLUMNS:
        parser.add_argument(f"--{column}", metavar="LABEL")
    parser.add_argument(
        "--questions", type=Path, metavar="FILE", help="file of triples, each with one empty field: the one to fill"
    )
    parser.add_argument(
        "--missing", action="store_true", help="find the likeliest triples of the whole graph that are not known"
    )
    parser.add_argument("-k", type=int, default=10, help="number of answers (default: %(default)s)")
    add_output_option(parser, "the completed triples")
    parser.add_argument(
        "--why", action="store_true", help="show what each kind of evidence adds to the log-odds of each answer"
    )
    add_known_option(parser)
    add_candidates_option(parser)
    add_reading_options(parser)


def run(options):
    """Answer the questions of the options; return the exit status."""
    check_output(options.output)
    if options.why and options.output is not None:
        raise ValueError("--why explains answers on the terminal and --output writes them to a file; leave one out")
    questions = _questions(options)
    model = load_model(options.model, "complete", options.trust)
    vocabulary = model.predictor_.vocabulary
    if options.questions is None:
        check_given_labels(vocabulary, questions[0])
    else:
        check_labels(model, questions, options.questions, "leave such lines out")
    known = [read_triples(path, options) for path in options.known]
    answers = model.complete(
        questions,
        k=options.k,
        known=np.concatenate(known) if known else None,
        candidates=read_candidates(options.candidates),
    )
    found = np.isfinite(answers.scores)
    console = Console(soft_wrap=True)
    if options.output is None:
        for row, kept in enumerate(found):
            console.print(answer_table(answers, row, kept))
            if options.why:
                console.print(_why(model, answers, row, kept), highlight=False, markup=False)
    else:
        names = [] if answers.names is None else ["head_name", "tail_name"]
        header = ["question", *COLUMNS, "rank", "score", "probability", *names]
        write_rows(options.output, header, _rows(answers, found, named=bool(names)))
        console.print(f"{found.sum()} answers written to {options.output}", highlight=False, markup=False)
    return 0


def _questions(options):
    """Return the questions as an object array with None in the empty positions of each row."""
    given = np.array([[options.head, options.relation, options.tail]], dtype=object)
    n_given = sum(label is not None for label in given[0])
    if options.missing and (n_given or options.questions is not None):
        raise ValueError("--missing asks about the whole graph; leave out --head, --relation, --tail and --questions")
    if options.questions is None:
        if n_given == 3 or not (n_given or options.missing):
            raise ValueError(
                f"{n_given} of --head, --relation and --tail are given; give one or two of them, --questions, or "
                "--missing"
            )
        return given
    if n_given:
        raise ValueError("--questions and --head, --relation or --tail are both given; give one or the other")
    questions = read_triples(options.questions, options, empty="keep")
    questions[questions == ""] = None
    n_empty = np.equal(questions, None).sum(axis=1)
    if (n_empty != n_empty[0]).any() or not n_empty[0]:
        row = int(((n_empty != n_empty[0]) | (n_empty == 0)).argmax())
        raise ValueError(
            f"{options.questions}: question {row + 1} has {n_empty[row]} empty fields; leave the one to be filled "
            "empty, or two in each"
        )
    return questions


def _why(model, answers, row, kept):
    """The explanation of the answers to one question, in the direction asked in."""
    head, _, tail = answers.questions.empty[row]
    side = "both" if head == tail else "head" if head else "tail"
    triples = answers.triples[row][kept]
    return "\n".join(str(model.explain(triples[rows], side=side)) for rows in gen_batches(len(triples), SHOWN_TRIPLES))


def check_given_labels(vocabulary, question):
    """Refuse a label that the model has not seen and that is no name of one entity, and tell similar ones."""
    for column, label in zip(COLUMNS, question, strict=True):
        of_relations = column == "relation"
        if label is None:
            continue
        if of_relations:
            is_known = vocabulary.relation_index.positions([label])[0] >= 0
        else:
            is_known = vocabulary.entities_asked([label])[0] >= 0
        if not is_known:
            labels = vocabulary.relations if of_relations else vocabulary.entities
            similar = vocabulary.similar(label, of_relations)
            hint = f"similar ones: {similar}" if similar else f"the first is {vocabulary.shown(labels[0])}"
            raise ValueError(
                f"--{column} {shown(label)} is none of the {len(labels)} labels that the model has seen; {hint}"
            )


def _rows(answers, found, named):
    """Yield the completed triples with the number of their question, rank, score, probability and maybe names."""
    for number, triples in enumerate(answers.triples):
        for rank, place in enumerate(np.flatnonzero(found[number]), 1):
            told = answers.scores[number, place], answers.probabilities[number, place]
            names = answers.vocabulary.names_of(triples[place][[0, 2]]) if named else []
            yield [number + 1, *triples[place], rank, *told, *names]
