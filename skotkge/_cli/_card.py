"""``card``: a model card in Markdown, of what a saved model is and how well it was measured to do."""

from datetime import date
from pathlib import Path

import numpy as np

from .._utils.whole_files import check_writable, whole_file
from .._version import __version__
from ._options import add_known_option, add_model_option, add_reading_options
from ._reading import check_labels, load_model, read_triples

METRICS = {"mrr": "MRR", "hits@1": "Hits@1", "hits@3": "Hits@3", "hits@10": "Hits@10", "mean_rank": "mean rank"}
SIDES = {"both sides": "", "heads": "head_", "tails": "tail_"}
NOT_MEASURED = (
    "Not measured: `skotkge card MODEL --test FILE` ranks triples that the model was not fitted on and puts the "
    "figures here."
)
LIMITS = """- Answers are ranked among the entities above; what the graph does not say counts as unknown, not as false.
- Probabilities hold at the share of true triples that they were calibrated at, and against the kind of false triples of
  the calibration.
- A joblib file may run code when it is loaded; load only files that you trust."""


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = "Write the model card of a saved model: data, training, evidence and measured quality."
    parser.set_defaults(run=run)
    add_model_option(parser)
    parser.add_argument("--test", type=Path, metavar="FILE", help="true triples to measure the quality on")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the card to this file (default: print it)")
    add_known_option(parser)
    add_reading_options(parser)


def run(options):
    """Write the card; return the exit status."""
    if options.output is not None:
        check_writable(options.output, "--output")
    model = load_model(options.model, "evaluate", options.trust)
    card = "\n\n".join(
        [
            f"# Model card: {options.model.name}",
            f"A fitted `{type(model).__name__}` of skotkge {__version__}. Card of {date.today().isoformat()}.",
            f"## Quality\n\n{_quality(model, options)}",
            f"## Data\n\n{_data(model)}",
            f"## Training\n\n{_training(model)}",
            f"## Evidence\n\n{_evidence(model)}",
            f"## Parameters\n\n{_parameters(model)}",
            f"## Limits\n\n{LIMITS}",
        ]
    )
    if options.output is None:
        print(card)
    else:
        with whole_file(options.output, "w", encoding="utf-8") as file:
            file.write(f"{card}\n")
        print(f"card written to {options.output}")
    return 0


def _quality(model, options):
    if options.test is None:
        return NOT_MEASURED
    triples = read_triples(options.test, options)
    check_labels(model, triples, options.test, "leave such lines out")
    known = [read_triples(path, options) for path in options.known]
    report = model.evaluate(triples, known=np.concatenate(known) if known else None)
    rows = [[side, *(_figure(report[prefix + metric]) for metric in METRICS)] for side, prefix in SIDES.items()]
    filtered = "".join(f", `{path.name}`" for path in options.known)
    return (
        f"{len(triples)} triples of `{options.test.name}`, ranked among all {len(model.entities_)} entities and "
        f"filtered by the triples of the fit and of this file{filtered}.\n\n{_table(['', *METRICS.values()], rows)}"
    )


def _data(model):
    rows = [
        ["entities", len(model.entities_)],
        ["relations", len(model.relations_)],
        ["true triples seen in fit", len(model.predictor_.true_ids)],
    ]
    return _table(["", "number"], rows)


def _training(model):
    spaces = getattr(model, "space_training_", {})
    if not spaces:
        return "No space was trained."
    rows = []
    for name, told in spaces.items():
        scores = told["validation_scores"]
        rows.append([name, told["n_iter"], told["best_iter"], _figure(max(scores)) if scores else "none"])
    return (
        "The validation score, a filtered MRR unless `metric` says otherwise, chose the epoch, so it flatters the "
        "model somewhat.\n\n"
        f"{_table(['space', 'epochs', 'epoch kept', 'best validation score'], rows)}"
    )


def _evidence(model):
    medians = np.median(model.evidence_weights_, axis=2)
    rows = [[name, *map(_figure, pair)] for name, pair in zip(model.evidence_names_, medians, strict=True)]
    return f"Median weight over the relations.\n\n{_table(['evidence', 'for tails', 'for heads'], rows)}"


def _parameters(model):
    return _table(["parameter", "value"], [[f"`{name}`", f"`{value!r}`"] for name, value in model.get_params().items()])


def _figure(value):
    return f"{value:.3f}"


def _table(header, rows):
    """A table in Markdown; a bar inside a cell would end it."""
    cells = [[str(cell).replace("|", r"\|") for cell in row] for row in (header, ["---"] * len(header), *rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)
