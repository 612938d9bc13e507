"""``convert``: turn a saved model into a file that loads without running code, or back."""

from pathlib import Path

from rich.console import Console

from .._estimator.saving import check_model_path, load, save
from ._options import add_model_option


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = "Write a saved model to another file, of the kind that its name tells: .skops, or .joblib."
    parser.set_defaults(run=run)
    add_model_option(parser)
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="where the model is saved")


def run(options):
    """Convert a saved model; return the exit status."""
    check_model_path(options.output, "OUTPUT")
    save(load(options.model, trusted=options.trust), options.output)
    Console(soft_wrap=True).print(f"saved to {options.output}", highlight=False, markup=False)
    return 0
