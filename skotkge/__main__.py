"""``python -m skotkge`` and ``skotkge``: fit models on files of triples, evaluate them and ask them questions."""

import argparse
import sys
import warnings
from contextlib import contextmanager
from importlib import import_module

from ._version import __version__

INPUT_ERROR = 2
INTERRUPTED = 130

# What each module of `_cli` does.
COMMANDS = {
    "fit": "train a model and save it",
    "evaluate": "rank test triples",
    "complete": "fill the empty places of triples",
    "card": "write a model card, with measured quality",
    "completion": "print the script that completes skotkge in a shell",
    "demo": "do the whole job on the bundled graph",
}


class OneLineParser(argparse.ArgumentParser):
    """Argument parser that tells a usage error in one line."""

    def error(self, message):
        self.exit(INPUT_ERROR, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : list of str, default=None
        What follows the name of the program; None takes it from the command line.

    Returns
    -------
    int
        The exit status: 0, or 2 if the input is at fault, which is told in one line on the standard error.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = command_parser(arguments)
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 0
    program = f"{parser.prog} {options.command}"
    try:
        with _warnings_in_one_line(program):
            return options.run(options)
    except (OSError, ValueError, ArithmeticError, ImportError) as error:
        print(f"{program}: error: {_in_one_line(error)}", file=sys.stderr)
        return INPUT_ERROR
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED


def command_parser(arguments):
    """Return the parser of all commands; only those among the arguments are imported and get their options."""
    parser = OneLineParser(
        prog="skotkge", description="Fit models on files of triples, evaluate them and ask them questions."
    )
    parser.add_argument("--version", action="version", version=f"skotkge {__version__}")
    parser.set_defaults(whole_parser=lambda: command_parser(COMMANDS))
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, task in COMMANDS.items():
        command = commands.add_parser(name, help=task)
        if name in arguments:
            import_module(f"skotkge._cli._{name}").add_to(command)
    return parser


@contextmanager
def _warnings_in_one_line(program):
    def show(message, category, filename, lineno, file=None, line=None):
        print(f"{program}: warning: {_in_one_line(message)}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = show
        yield


def _in_one_line(message):
    if isinstance(message, OSError) and message.filename is not None:
        message = f"{message.filename}: {message.strerror}"
    return " ".join(str(message).split())


if __name__ == "__main__":
    sys.exit(main())
