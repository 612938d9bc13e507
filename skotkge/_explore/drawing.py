"""Drawings as options of ECharts: the neighbourhood of an entity, and what speaks for an answer.

All words are texts on a picture or rich texts of a hint, never HTML.
"""

import math

LONGEST = 22
KNOWN, PROBABLE, CENTRE, AGAINST = "#2f7d8c", "#c2611f", "#7a4fb5", "#b3364a"
GREY = "#8a8f98"


def neighbourhood_chart(links, centre, name_of, relation_of):
    """Draw links around an entity: itself in the middle, those that it links to on a circle.

    Parameters
    ----------
    links : list of Link
    centre : int
    name_of, relation_of : callable
        From ids to what is written.

    Returns
    -------
    dict
        Each node has its entity as ``value``.
    """
    around = list(dict.fromkeys(link.other(centre) for link in links if centre in link.triple[::2]))
    around = [entity for entity in around if entity != centre]
    probable = {link.other(centre) for link in links if not link.known}
    nodes = [_node(centre, name_of(centre), (0, 0), CENTRE, size=34)]
    for place, entity in enumerate(around):
        angle = 2 * math.pi * place / len(around) - math.pi / 2
        colour = PROBABLE if entity in probable else KNOWN
        nodes.append(_node(entity, name_of(entity), (math.cos(angle), math.sin(angle)), colour))
    return {
        "animation": False,
        "tooltip": {"renderMode": "richText"},
        "series": [
            {
                "type": "graph",
                "layout": "none",
                "preserveAspect": "contain",
                # With it a finger on the drawing would move that and not the page.
                "roam": False,
                "left": "14%",
                "right": "14%",
                "top": 30,
                "bottom": 40,
                "data": nodes,
                "links": _edges(links, relation_of),
                "edgeSymbol": ["none", "arrow"],
                "edgeSymbolSize": 7,
                "emphasis": {"focus": "adjacency"},
                "label": {"show": True, "position": "bottom", "color": GREY, "fontSize": 12},
                "labelLayout": {"hideOverlap": True},
            }
        ],
    }


def _node(entity, name, place, colour, size=20):
    return {
        "id": str(entity),
        "name": name,
        "value": entity,
        "x": place[0] * 100,
        "y": place[1] * 100,
        "symbolSize": size,
        "itemStyle": {"color": colour},
        "label": {"formatter": name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"},
        "tooltip": {"formatter": name},
    }


def _edges(links, relation_of):
    """One line for each pair of entities in each direction, with all its relations in the hint."""
    relations, dashed = {}, {}
    for link in links:
        head, relation, tail = link.triple
        if head != tail:
            relations.setdefault((head, tail), []).append(relation_of(relation))
            dashed[head, tail] = dashed.get((head, tail), True) and not link.known
    return [
        {
            "source": str(head),
            "target": str(tail),
            "lineStyle": {
                "type": "dashed" if dashed[head, tail] else "solid",
                "color": PROBABLE if dashed[head, tail] else GREY,
                "curveness": 0.12 if (tail, head) in relations else 0,
                "width": 1.4,
            },
            "tooltip": {"formatter": ", ".join(dict.fromkeys(names))},
        }
        for (head, tail), names in relations.items()
    ]


def contributions_chart(parts):
    """Draw contributions to log-odds as bars, the largest at the top.

    Parameters
    ----------
    parts : list of (str, float)

    Returns
    -------
    dict
    """
    parts = parts[::-1]
    return {
        "animation": False,
        "grid": {"left": 8, "right": 48, "top": 4, "bottom": 4, "containLabel": True},
        "xAxis": {"type": "value", "axisLabel": {"color": GREY}, "splitLine": {"lineStyle": {"opacity": 0.3}}},
        "yAxis": {
            "type": "category",
            "data": [name for name, _ in parts],
            "axisLabel": {"color": GREY},
            "axisTick": {"show": False},
            "axisLine": {"onZero": True},
        },
        "series": [
            {
                "type": "bar",
                "barMaxWidth": 18,
                "data": [
                    {
                        "value": round(value, 3),
                        "itemStyle": {"color": KNOWN if value > 0 else AGAINST},
                        "label": {
                            "show": True,
                            "position": "right" if value > 0 else "left",
                            "formatter": f"{value:+.2f}",
                            "color": GREY,
                        },
                    }
                    for _, value in parts
                ],
            }
        ],
    }
