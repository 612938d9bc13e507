"""``python -m skotkge`` and ``skotkge``: fit models on files of triples, evaluate them and ask them questions."""

import argparse
import os
import signal
import sys
import threading
import warnings
from contextlib import contextmanager
from importlib import import_module

from ._version import __version__

INPUT_ERROR = 2
INTERRUPTED, TERMINATED = 130, 143

# What each module of `_cli` does.
COMMANDS = {
    "fit": "train a model and save it",
    "evaluate": "rank test triples",
    "rank": "write the ranks of test triples to a file",
    "score": "score a file of triples, however long",
    "complete": "fill the empty positions of triples",
    "explain": "tell what speaks for triples",
    "nearest": "find the entities that are most alike",
    "export": "write the embeddings to a file of another program",
    "match": "find which entities of two graphs are the same",
    "split": "part triples into train, valid and test files",
    "explore": "look at a graph and its model on a page in the browser",
    "convert": "turn a saved model into a file of another kind",
    "card": "write a model card, with measured quality",
    "completion": "print the script that completes skotkge in a shell",
    "demo": "do the whole job on the bundled graph",
}


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a command as Ctrl-C does."""


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
        The exit status: 0, or 2 if the input is at fault, which is told in one line on the standard error; 130 after
        Ctrl-C and 143 after SIGTERM.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    with _handling(signal.SIGINT, _leave):
        parser = command_parser(arguments)
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 0
    program = f"{parser.prog} {options.command}"
    try:
        with _warnings_in_one_line(program), _handling(signal.SIGTERM, _terminate):
            return options.run(options)
    except (OSError, ValueError, ArithmeticError, ImportError, RuntimeError) as error:
        print(f"{program}: error: {_in_one_line(error)}", file=sys.stderr)
        return INPUT_ERROR
    except MemoryError as error:
        print(f"{program}: error: out of memory {_in_one_line(error)}", file=sys.stderr)
        return INPUT_ERROR
    except KeyboardInterrupt as interruption:
        told = "".join(f"; {_in_one_line(note)}" for note in interruption.args)
        ended = "terminated" if isinstance(interruption, Terminated) else "interrupted"
        print(f"{program}: {ended}{told}", file=sys.stderr)
        return TERMINATED if isinstance(interruption, Terminated) else INTERRUPTED


@contextmanager
def _handling(number, handler):
    """Handle a signal in another way; in the main thread, where that can be done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def _leave(*_):
    """End at once and without a word: a library that is interrupted while it is imported raises errors of any kind."""
    os._exit(INTERRUPTED)


def _terminate(*_):
    raise Terminated


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
