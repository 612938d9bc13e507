"""Options made of the parameters of a constructor: names, types, choices, defaults and help are told once, there."""

import argparse
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from os import PathLike
from pathlib import Path

from .._utils.sklearn_compat import Interval, StrOptions, check_estimator_parameters

NONE = "none"


@dataclass(frozen=True)
class ConstructorOptions:
    """The options of one estimator.

    Attributes
    ----------
    kind : type
        An estimator of this library, with ``_parameter_constraints`` and parameters described as numpydoc has it.
    prefix : str
        What every option begins with; a parameter of this very name is the option itself.
    left_out : set of str
        Parameters that have options of their own elsewhere, or none.
    special : mapping of str to dict
        Keyword arguments of ``add_argument`` in place of those found, and ``"flag"`` in place of the name.
    """

    kind: type
    prefix: str = ""
    left_out: frozenset = frozenset()
    special: Mapping = field(default_factory=dict)

    @property
    def parameters(self):
        """The parameters that have an option."""
        names = [name for name in inspect.signature(self.kind).parameters if name not in self.left_out]
        return [name for name in names if name in self.special or argument_of(self.kind, name) is not None]

    def add_to(self, group):
        """Add an option for each parameter to a parser or a group of one."""
        told, signature = descriptions(self.kind), inspect.signature(self.kind).parameters
        for name in self.parameters:
            special = dict(self.special.get(name, {}))
            flag = special.pop("flag", self.flag(name))
            default = signature[name].default
            shown = NONE if default is None else str(default).lower() if isinstance(default, bool) else default
            help = f"{told.get(name, '')} (default: {shown})".strip().replace("%", "%%")
            found = {} if "type" in special else argument_of(self.kind, name)
            told_here = dict(dest=self._dest(name), default=argparse.SUPPRESS, help=help)
            group.add_argument(flag, **told_here | found | special)

    def values(self, options):
        """Return the values of the parameters that are given; the constructor has the others."""
        given = {name: getattr(options, self._dest(name), argparse.SUPPRESS) for name in self.parameters}
        return {name: value for name, value in given.items() if value is not argparse.SUPPRESS}

    def flag(self, name):
        """Return the name of the option of a parameter."""
        joined = name if not self.prefix or name == self.prefix else f"{self.prefix}_{name}"
        return "--" + joined.replace("_", "-")

    def _dest(self, name):
        return f"{self.kind.__name__}__{name}"


def argument_of(kind, name):
    """Return the type, choices and form of an option, or None if no text stands for a value of the parameter."""
    constraints = getattr(kind, "_parameter_constraints", {}).get(name, [])
    optional = None in constraints
    choices = [sorted(constraint.options) for constraint in constraints if isinstance(constraint, StrOptions)]
    numbers = {constraint.type for constraint in constraints if isinstance(constraint, Interval)}
    if "boolean" in constraints:
        return {"action": argparse.BooleanOptionalAction}
    if choices:
        return one_or_none(choices[0]) if optional else {"choices": choices[0]}
    if numbers:
        number = int if numbers == {Integral} else float
        return {"type": or_none(number) if optional else number, "metavar": "N" if number is int else "X"}
    if PathLike in constraints:
        return {"type": Path, "metavar": "PATH"}
    if str in constraints:
        return {"type": or_none(str) if optional else str, "metavar": "TEXT"}
    return None


def or_none(kind):
    """Return a reader of texts that takes "none" for None."""

    def read(text):
        return None if text == NONE else kind(text)

    read.__name__ = kind.__name__
    return read


def one_or_none(choices):
    """Return the arguments of an option that is one of some texts, or "none" for None."""

    def read(text):
        if text not in (*choices, NONE):
            raise argparse.ArgumentTypeError(f"invalid choice: {text!r} (choose from {', '.join([*choices, NONE])})")
        return None if text == NONE else text

    return {"type": read, "choices": Names([*choices, NONE])}


def descriptions(kind):
    """Return the first sentence on each parameter in the docstring of a class, in plain text without a full stop."""
    section = re.split(r"\n\w[\w ]*\n-{3,}\n", (inspect.getdoc(kind) or "").partition("Parameters\n----------\n")[2])[0]
    found = {}
    for names, text in re.findall(r"^(\w[\w, ]*) : .*\n((?:(?:    .*)?\n?)*)", section + "\n", flags=re.MULTILINE):
        sentence = re.split(r"(?<=\.)(?<!Eq\.)\s", " ".join(text.split()) + " ", maxsplit=1)[0]
        plain = sentence.strip().rstrip(".").replace("`", "")
        found |= dict.fromkeys(names.split(", "), plain[:1].lower() + plain[1:])
    return found


class Names(tuple):
    """Choices for help and completion, of an option whose type has checked the value already."""

    __slots__ = ()

    def __contains__(self, value):
        return True


def component(kinds):
    """Return the arguments of an option that names an object, such as ``transe`` or ``transe:margin=6``.

    Parameters
    ----------
    kinds : mapping of str to type
    """

    def read(text):
        name, colon, pairs = text.partition(":")
        if name not in kinds:
            raise argparse.ArgumentTypeError(f"{text!r} begins with none of {', '.join(sorted(kinds))}")
        return _made(kinds[name], name, pairs.split(",")) if colon else name

    return {"type": read, "choices": Names(sorted(kinds)), "metavar": "NAME[:PARAMETER=VALUE,...]"}


def _made(kind, name, pairs):
    """Make an object of pairs such as ``margin=6``; each value is of the type of the default."""
    parameters, given = inspect.signature(kind).parameters, {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if key not in parameters or not equals:
            known = ", ".join(parameters) or "no parameter"
            raise argparse.ArgumentTypeError(f"{pair!r} is not PARAMETER=VALUE; {name} has {known}")
        try:
            given[key] = _reader(kind, key)(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{pair!r}: {error}") from error
    made = kind(**given)
    if hasattr(kind, "_parameter_constraints"):
        try:
            check_estimator_parameters(made)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
    return made


def _reader(kind, name):
    found = argument_of(kind, name)
    if found is None:
        return type(inspect.signature(kind).parameters[name].default)
    return _truth if "action" in found else found.get("type", str)


def _truth(text):
    if text.lower() not in ("true", "false"):
        raise ValueError("expected true or false")
    return text.lower() == "true"


def pairs_of(reader, form):
    """Return the type of an option that is a list of NAME=VALUE separated by commas.

    Parameters
    ----------
    reader : callable
        Of each value.
    form : str
        An example, for the message.
    """

    def read(text):
        found = {}
        for pair in text.split(","):
            name, equals, value = pair.partition("=")
            try:
                if not (name and equals and value) or name in found:
                    raise ValueError
                found[name] = reader(value)
            except ValueError:
                raise argparse.ArgumentTypeError(f"{text!r} is not a list such as {form}") from None
        return found

    return read
