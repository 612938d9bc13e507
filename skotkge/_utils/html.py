"""Tables for notebooks: plain HTML in the colours of the page, so that they suit a dark one."""

from html import escape

from .api_links import LinksToApi
from .sklearn_compat import diagram_block

CELL = "text-align:{align};padding:0.1em 0.6em"
BAR = "display:inline-block;width:{width:.0f}%;height:0.7em;background:currentColor;opacity:0.35"


class FittedHtml(LinksToApi):
    """Adds what was learned to scikit-learn's diagram, in IPython's protocol.

    An estimator defines `_html_of_fit`, and `_caption_of_fit` with the same in a line, which stands in the box of the
    estimator in the diagram of a Pipeline, too. Both return "" before it is fitted.
    """

    def _sk_visual_block_(self):
        return diagram_block(self, self._caption_of_fit())

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:
            bundle["text/html"] += self._html_of_fit()
        return bundle

    @property
    def _repr_html_(self):
        diagram = super()._repr_html_
        return lambda: diagram() + self._html_of_fit()


class Markup(str):
    """Text that is HTML already; all other text is escaped."""

    __slots__ = ()


def bar(share):
    """A bar of a share between 0 and 1."""
    width = 100 * min(max(share, 0.0), 1.0)
    return Markup(f'<div style="width:8em"><span style="{BAR.format(width=width)}"></span></div>')


def signed_bar(value, largest):
    """A bar from the middle to the right for a value above zero, to the left for one below."""
    width = 50 * min(abs(value) / largest, 1.0) if largest else 0.0
    left = 50 if value >= 0 else 50 - width
    return Markup(
        f'<div style="width:8em"><span style="margin-left:{left:.0f}%;{BAR.format(width=width)}"></span></div>'
    )


def table(caption, header, rows):
    """Return a table; numbers are set to the right.

    Parameters
    ----------
    caption : str
    header : sequence of str
        None of them where all are empty.
    rows : iterable of sequences

    Returns
    -------
    Markup
    """
    head = f"<thead>{_row(header, 'th')}</thead>" if any(header) else ""
    body = "".join(_row(row, "td") for row in rows)
    title = f'<caption style="caption-side:top;text-align:left;font-weight:bold">{escape(caption)}</caption>'
    return Markup(f'<table style="border-collapse:collapse">{title}{head}<tbody>{body}</tbody></table>')


def _row(cells, tag):
    return f"<tr>{''.join(_cell(cell, tag) for cell in cells)}</tr>"


def _cell(cell, tag):
    if isinstance(cell, float):
        cell, align = f"{cell:.3f}", "right"
    else:
        align = "right" if isinstance(cell, int) else "left"
    text = cell if isinstance(cell, Markup) else escape(str(cell))
    return f'<{tag} style="{CELL.format(align=align)}">{text}</{tag}>'
