"""Warnings that point at the line of the user's that caused them, however deep they arise."""

import sys
import warnings

PASSED_OVER = {__name__.partition(".")[0], "sklearn"}


def tell(message):
    """Warn the caller of the library."""
    frame, depth = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in PASSED_OVER:
        frame, depth = frame.f_back, depth + 1
    warnings.warn(message, UserWarning, stacklevel=depth)
