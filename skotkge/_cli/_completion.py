"""``completion``: the script that completes commands, options and files in a shell."""

from pathlib import Path

SHELLS = ("bash", "zsh", "fish")


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = (
        'Print the script that completes skotkge in a shell; eval "$(skotkge completion bash)" turns it on, '
        "in fish skotkge completion fish | source."
    )
    parser.set_defaults(run=run)
    parser.add_argument("shell", choices=SHELLS)


def run(options):
    """Print the script; return the exit status."""
    try:
        import shtab
    except ImportError as error:
        raise ImportError('completion needs shtab: pip install shtab, or the extra "completion"') from error
    parser = options.whole_parser()
    for action in _actions(parser):
        if action.type is Path:
            action.complete = shtab.FILE
    print(shtab.complete(parser, shell=options.shell))
    return 0


def _actions(parser):
    """All options and arguments of a parser and of its commands."""
    for action in parser._actions:
        yield action
        for command in (action.choices or {}).values() if hasattr(action, "add_parser") else ():
            yield from _actions(command)
