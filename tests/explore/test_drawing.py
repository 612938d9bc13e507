"""Drawings as options of ECharts."""

import math

import pytest

from skotkge._explore.drawing import contributions_chart, neighbourhood_chart
from skotkge._explore.links import Link
from skotkge._explore.site import address, percent

LINKS = [
    Link((0, 0, 1), math.nan, known=True),
    Link((1, 1, 0), math.nan, known=True),
    Link((0, 1, 2), 0.5, known=False),
    Link((0, 0, 2), 0.4, known=False),
    Link((0, 0, 0), math.nan, known=True),
    Link((1, 0, 2), math.nan, known=True),
]
NAMES = ["centre", "<img src=x>", "a name that is longer than a drawing has room for"]


def test_every_entity_is_a_node_and_every_pair_a_line():
    (series,) = neighbourhood_chart(LINKS, 0, NAMES.__getitem__, ["r", "s"].__getitem__)["series"]
    assert [node["value"] for node in series["data"]] == [0, 1, 2]
    assert [node["name"] for node in series["data"]] == NAMES
    assert all(len(node["label"]["formatter"]) <= 22 for node in series["data"])
    lines = {(line["source"], line["target"]): line for line in series["links"]}
    assert set(lines) == {("0", "1"), ("1", "0"), ("0", "2"), ("1", "2")}
    assert lines["0", "2"]["tooltip"]["formatter"] == "s, r"
    assert {pair for pair, line in lines.items() if line["lineStyle"]["type"] == "dashed"} == {("0", "2")}
    places = [(node["x"], node["y"]) for node in series["data"]]
    assert places[0] == (0, 0)
    assert [math.hypot(*place) for place in places[1:]] == pytest.approx([100, 100])


def test_hints_are_texts():
    options = neighbourhood_chart(LINKS, 0, NAMES.__getitem__, ["r", "s"].__getitem__)
    assert options["tooltip"]["renderMode"] == "richText"


def test_an_entity_alone_is_drawn_alone():
    (series,) = neighbourhood_chart([Link((0, 0, 0), 1.0, known=True)], 0, NAMES.__getitem__, str)["series"]
    assert len(series["data"]) == 1
    assert series["links"] == []


def test_bars_tell_their_values_with_the_first_at_the_top():
    options = contributions_chart([("rules", 2.5), ("offset", -1.25)])
    assert options["yAxis"]["data"] == ["offset", "rules"]
    (series,) = options["series"]
    assert [bar["value"] for bar in series["data"]] == [-1.25, 2.5]
    assert [bar["label"]["formatter"] for bar in series["data"]] == ["-1.25", "+2.50"]
    assert series["data"][0]["itemStyle"] != series["data"][1]["itemStyle"]


@pytest.mark.parametrize(
    ("probability", "told"),
    [
        (0.0, "0.0 %"),
        (0.0004, "<0.1 %"),
        (0.05, "5.0 %"),
        (0.0996, "10 %"),
        (0.5, "50 %"),
        (0.994, "99 %"),
        (0.998, "99.8 %"),
        (0.99999, ">99.9 %"),
        (1.0, "100.0 %"),
        (math.nan, "–"),
    ],
)
def test_probabilities_in_words(probability, told):
    assert percent(probability) == told


def test_addresses_are_quoted():
    assert address("/entity", label="a&b=?#/ü <", side=None) == "/entity?label=a%26b%3D%3F%23%2F%C3%BC%20%3C"
    assert address("/") == "/"
