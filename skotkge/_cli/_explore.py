"""``explore``: a page in the browser to look at a graph and its model."""

import importlib.util
import sys
from contextlib import suppress
from pathlib import Path

from sklearn.pipeline import Pipeline

from .._utils.messages import shown
from .._utils.whole_files import check_writable
from ._options import add_model_option, add_reading_options
from ._reading import read_triples

EXTRA = 'explore needs NiceGUI; in a checkout: pip install ".[explore]"'


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = (
        "Open a page in the browser to look at a graph and its model: find an entity, see its known and its probable "
        "links, ask questions, see why, accept or reject. The page is on the loopback address of this machine."
    )
    parser.set_defaults(run=run)
    add_model_option(parser)
    parser.add_argument(
        "--graph",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="folder with what is to be shown beside the model: files train, valid and test, names.tsv, texts.tsv and "
        "pictures.tsv (an entity and its name, text or path below the folder in each line), entities.tsv; of a "
        "matcher twice, the folder of X and then that of Y",
    )
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="folder that the pictures lie in which the model names; no file outside is shown (default: that of the "
        "model)",
    )
    parser.add_argument(
        "--decisions",
        type=Path,
        metavar="FILE",
        help="tab-separated file of what is accepted and rejected; one that is there is taken up (default: beside the "
        "model, with its name and .decisions.tsv at the end)",
    )
    parser.add_argument(
        "--port", type=_port, metavar="N", default=0, help="port of the page (default: any that is free)"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    add_reading_options(parser)


def _port(value):
    number = int(value)
    if not 0 <= number < 65536:
        raise ValueError(value)
    return number


_port.__name__ = "port"


def run(options):
    """Serve the page until the program is told to end; return the exit status."""
    if importlib.util.find_spec("nicegui") is None:
        raise ImportError(EXTRA)
    path = options.decisions or options.model.with_name(f"{options.model.stem}.decisions.tsv")
    check_writable(path, "--decisions")
    site = make_site(options, path)

    from .._explore.server import serve

    def say(address):
        print(f"{address} shows {options.model}; decisions are written to {path}; Ctrl-C ends it", flush=True)

    with suppress(KeyboardInterrupt):
        serve(site, options.port, not options.no_browser, say)
    print(f"ended; {len(site.decisions)} decisions in {path}" if len(site.decisions) else "ended; nothing was decided")
    return 0


def make_site(options, path):
    """Load what the pages show.

    Raises
    ------
    ValueError
        If the model or a folder is none, or does not fit.
    """
    from .._explore.decisions import DecisionFile
    from .._explore.folders import read_folder
    from .._explore.links import LinkAnswers
    from .._explore.matches import MatchAnswers
    from .._explore.site import Site, check_written, file_digest
    from .._matching.matcher import OTEntityMatcher

    model = _load(options.model, options.trust)
    is_matcher = isinstance(model, OTEntityMatcher)
    if len(options.graph) > 1 + is_matcher:
        raise ValueError(
            f"--graph is given {len(options.graph)} times; a {type(model).__name__} takes {1 + is_matcher}"
        )
    folders = [read_folder(folder, lambda file: read_triples(file, options, some=False)) for folder in options.graph]
    pictures = _picture_folder(options)
    if is_matcher:
        answers = MatchAnswers(model, folders, pictures)
    else:
        answers = LinkAnswers(model, *folders, picture_folder=pictures)
    check_written(*answers.tables.values())
    for table in answers.tables.values():
        table.prepare()
        _tell_lost_picture(table, pictures)
    decisions = DecisionFile(path, file_digest(options.model))
    return Site(answers, decisions, f"{type(model).__name__} · {options.model.name}")


def _picture_folder(options):
    if options.pictures is None:
        return options.model.parent
    if not options.pictures.is_dir():
        raise ValueError(f"--pictures {options.pictures} is no folder; give the one that the model's pictures lie in")
    return options.pictures


def _tell_lost_picture(table, folder):
    lost = table.told.first_lost_picture
    if lost is not None:
        print(
            f"the first picture that the model names, {shown(lost)}, is none in {folder}; give --pictures FOLDER",
            file=sys.stderr,
        )


def _load(path, trust):
    """Load a model that predicts links or matches entities."""
    from .._estimator.saving import load
    from .._matching.matcher import OTEntityMatcher

    model = load(path, trusted=trust)
    model = model[-1] if isinstance(model, Pipeline) else model
    if isinstance(model, OTEntityMatcher) and hasattr(model, "plan_"):
        return model
    if not (hasattr(model, "complete") and hasattr(model, "predictor_")):
        raise ValueError(f"{path} holds a {type(model).__name__}, expected a fitted OTKGEClassifier or OTEntityMatcher")
    return model
