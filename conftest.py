"""What the tests share, those in docstrings and pages included."""

import sys

import pytest


@pytest.fixture(autouse=True)
def no_figure_stays_open():
    """Close the figures of each test: matplotlib warns of many open ones, wherever the next test is run."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
