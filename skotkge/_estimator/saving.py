"""Saving and loading fitted models: skops files, which run no code, and pickles for those who ask for them."""

import json
import os
import zipfile
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import joblib

from .._utils.archives import read_archive, write_archive
from .._utils.messages import shown
from .._utils.persistence import PLAIN_TYPES, TYPES
from .._utils.sealed_files import ZIP_BEGINS, check_seal, damaged, write_sealed_archive, write_sealed_pickle
from .._utils.whole_files import check_writable

SKOPS, PICKLES = ".skops", (".joblib", ".pkl", ".pickle")
SCHEMA = "schema.json"
LONGEST_PATH = 4096
# How skops may make objects of what a file holds; its other ways call functions or constructors.
LOADERS = {
    f"{kind}Node" for kind in ("Bytes", "Dict", "Json", "List", "NdArray", "Object", "RandomState", "Tuple", "Type")
}


def save(model: Any, path: str | PathLike[str]) -> None:
    """Save a fitted model to a file that is whole or not there.

    The file is written beside its place, flushed to the disk and renamed: an earlier one is as it was until then. It
    ends with a format number and a checksum of all its bytes.

    Parameters
    ----------
    model : estimator or Pipeline
        Of this library, or a Pipeline with such steps.
    path : path-like
        A name that ends with ``.skops`` for a file that loads without running code; or, for a pickle, with
        ``.joblib``, ``.pkl`` or ``.pickle``.

    Returns
    -------
    None

    Raises
    ------
    ValueError
        If the name ends otherwise, there is no such folder, or the model holds what skops cannot save.
    OSError
        If the file cannot be written; the message names it.

    See Also
    --------
    load : The way back.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skotkge
    >>> rules = skotkge.baselines.RuleBaseline(random_state=0).fit([("ann", "likes", "bob"), ("bob", "likes", "ann")])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skotkge.save(rules, Path(folder) / "rules.skops")
    ...     skotkge.load(Path(folder) / "rules.skops")
    RuleBaseline(random_state=0)
    """
    check_path(path, "path")
    check_model_path(path)
    if is_pickle(path):
        write_sealed_pickle(path, lambda file: joblib.dump(model, file))
        return
    try:
        write_skops(model, path)
    except ValueError as error:
        raise ValueError(
            f"{error}; save it as {Path(path).stem}.joblib, which holds all that can be pickled."
        ) from error


def write_skops(values, path):
    """Write a model or plain values to a sealed skops file.

    Raises
    ------
    ValueError
        If skops cannot save them.
    """
    from skops.io.exceptions import UnsupportedTypeException

    try:
        write_sealed_archive(path, lambda file: write_archive(values, file))
    except (UnsupportedTypeException, NotImplementedError, AttributeError, TypeError) as error:
        raise ValueError(f"{path}: a {type(values).__name__} that holds what skops cannot save ({error})") from error


def check_path(path, argument):
    """Refuse what names no file; a number would be taken for one that is open."""
    if not isinstance(path, str | PathLike) or not str(path) or "\0" in str(path):
        raise TypeError(f"{argument}={shown(path)} names no file; give a string or a pathlib.Path.")
    if len(os.fspath(path)) > LONGEST_PATH:
        raise ValueError(f"{argument}={shown(path)} is longer than paths can be; give a shorter one.")
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:
        raise ValueError(f"{argument}={shown(path)} has characters that no path can have; give another.") from error


def check_model_path(path, argument="path"):
    """Make sure that a model can be saved under a name, before anything long starts.

    Raises
    ------
    ValueError
        If not.
    """
    check_writable(path, argument)
    if Path(path).suffix.lower() not in (SKOPS, *PICKLES):
        raise ValueError(
            f"{argument} {path}: expected a name that ends with {SKOPS}, or with {', '.join(PICKLES)} for a pickle"
        )


def is_pickle(path):
    """Tell whether a name is that of a pickle."""
    return Path(path).suffix.lower() in PICKLES


def load(path: str | PathLike[str], trusted: bool | Sequence[str] = False) -> Any:
    """Load a model.

    Parameters
    ----------
    path : path-like
        A file of `save`, or one that joblib, pickle or skops has written. What it is its first bytes tell.
    trusted : bool or sequence of str, default=False
        False loads skops files, and no types in them but those of this library, plain values, arrays and the Pipeline
        of scikit-learn. Names of types, such as ``["my_module.MyScore"]``, are allowed beside these. True loads
        everything, pickles too, and may run code that the file contains: only for files whose origin you trust.

    Returns
    -------
    estimator or Pipeline

    Raises
    ------
    ValueError
        If the file is damaged or of a newer format, is a pickle or has other types without `trusted`, or is no saved
        model.

    See Also
    --------
    save : How the file was made.

    Notes
    -----
    A checksum finds damage, not forgery: whoever can write the file can write its checksum.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skotkge
    >>> rules = skotkge.baselines.RuleBaseline(random_state=0).fit([("ann", "likes", "bob"), ("bob", "likes", "ann")])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skotkge.save(rules, Path(folder) / "rules.skops")
    ...     loaded = skotkge.load(Path(folder) / "rules.skops")
    >>> loaded.entities_
    array(['ann', 'bob'], dtype=object)
    """
    check_path(path, "path")
    names = isinstance(trusted, list | tuple | set | frozenset) and all(isinstance(name, str) for name in trusted)
    if not (isinstance(trusted, bool) or names):
        raise TypeError(f"trusted={shown(trusted)}; give True, False or a list of names of types.")
    with open(path, "rb") as file:
        sealed = check_seal(file, path) is not None
        is_skops = file.read(len(ZIP_BEGINS)) == ZIP_BEGINS
        file.seek(0)
        return _load_skops(file, path, trusted) if is_skops else _load_pickle(file, path, trusted, sealed)


def _load_pickle(file, path, trusted, sealed):
    if trusted is not True:
        raise ValueError(
            f"{path} is no skops file; if it is a pickle, loading it runs any code that it contains, so that you have "
            "to say that you trust its origin: skotkge.load(path, trusted=True), or --trust on the command line. "
            f"Better convert it once: skotkge convert {path} {Path(path).stem}.skops --trust."
        )
    try:
        model = joblib.load(file)
    except (OSError, ImportError):
        raise
    except ValueError as error:
        raise error if "skotkge" in str(error) else _no_model(path, error) from error
    except Exception as error:  # what unpickling raises on other files depends on their bytes
        raise _no_model(path, error) from error
    if not sealed and file.read(1):  # a seal of ours that is no longer one
        raise damaged(path)
    return model


def _load_skops(file, path, trusted):
    from skops import io as skops_io

    def load_known_types(archive):
        _check_types(archive, {*PLAIN_TYPES, *TYPES}, path)
        return skops_io.load(archive, trusted=list(TYPES))

    try:
        if not trusted:
            return read_archive(file, load_known_types)
        if trusted is True:
            allowed = skops_io.get_untrusted_types(file=file)
        else:
            allowed = [*TYPES, *trusted]
            _check_types(file, {*PLAIN_TYPES, *allowed}, path, any_loader=True)
        return skops_io.load(file, trusted=allowed)
    except (OSError, ImportError):
        raise
    except ValueError as error:
        if type(error) is ValueError and ("skotkge" in str(error) or str(path) in str(error)):
            raise
        raise _no_model(path, error) from error
    except Exception as error:  # what skops raises on other archives depends on their bytes
        raise _no_model(path, error) from error


def _check_types(file, allowed, path, any_loader=False):
    found, loaders = types_and_loaders(file)
    others = sorted(found - allowed) or sorted(() if any_loader else loaders - LOADERS)
    if others:
        names = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        raise ValueError(
            f"{path} holds the types {names}, none of which a model of skotkge needs; if you trust them, "
            f"load it with trusted={others[:3]!r}, or with --trust on the command line."
        )


def types_and_loaders(file):
    """Return the names of all types that a skops file makes objects of, and of the ways in which skops makes them."""
    with zipfile.ZipFile(file) as archive:
        nodes, types, loaders = [json.loads(archive.read(SCHEMA))], set(), set()
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            if "__class__" in node:
                types.add(f"{node['__module__']}.{node['__class__']}")
                loaders.add(node["__loader__"])
            nodes.extend(node.values())
        elif isinstance(node, list):
            nodes.extend(node)
    return types, loaders


def _no_model(path, error):
    return ValueError(f"{path} is no saved model, or is damaged: {type(error).__name__}: {str(error)[:200]}")
