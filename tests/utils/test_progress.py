"""Bars say what they count, and are not shown where nobody sees them move."""

import pytest

from skotkge import OTKGEClassifier


def fit(small, **parameters):
    OTKGEClassifier(embedding_dim=4, max_iter=2, verbose=1, random_state=0, **parameters).fit(small.labels)


def test_on_a_terminal_both_trainings_are_named(small, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    fit(small)
    shown = capsys.readouterr().out
    assert "training structure" in shown
    assert "training structure, again on all triples" in shown
    assert "of at most" in shown
    assert "validation score" in shown


@pytest.mark.parametrize("refit", [False, True])
def test_elsewhere_no_bar_is_shown(small, capsys, monkeypatch, refit):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    fit(small, refit=refit)
    shown, errors = capsys.readouterr()
    assert shown.startswith("about ")  # the memory that the fit takes
    assert shown.count("\n") == 1
    assert not errors
