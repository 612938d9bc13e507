"""Data frames of the library that the user asks for, which is imported where it is asked for."""

import importlib

from .messages import check_choice

LIBRARIES = ("pandas", "polars")


def data_frame(library, columns, what):
    """Make a data frame of pandas or polars.

    Parameters
    ----------
    library : str
        One of `LIBRARIES`; other values are refused as the user's.
    columns : dict of str to sequence
    what : str
        Needs the library, for the message where it is not installed.
    """
    check_choice(library, "library", LIBRARIES)
    try:
        frames = importlib.import_module(library)
    except ImportError as error:
        raise ImportError(f"{what} needs {library}: pip install {library}.") from error
    return frames.DataFrame(columns)
