"""What all pages share: the answers, the decisions, and one worker that computes while the page stays awake."""

import asyncio
import hashlib
import math
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlencode

from .._utils.messages import shown
from .tables import readable

# Seconds that a page may take before the browser has it; what takes long comes after that.
LONGEST_START = 60


class Site:
    """Answers and decisions behind the pages.

    Parameters
    ----------
    answers : LinkAnswers or MatchAnswers
    decisions : DecisionFile
    title : str
        Of the model.
    """

    def __init__(self, answers, decisions, title):
        self.answers, self.decisions, self.title = answers, decisions, title
        # Models derive what they answer from when they are first asked: one at a time.
        self._worker = ThreadPoolExecutor(max_workers=1)

    async def compute(self, function, *arguments):
        """Call a function in the worker and wait for what it returns."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, function, *arguments)

    def in_words(self, triple):
        """Names for the labels of a triple as they are written, where something is called so."""
        tables = [*self.answers.tables.values()]
        return [_name(tables[0], triple[0]), readable(triple[1]), _name(tables[-1], triple[2])]

    async def search(self, table, typed):
        """Return ids of what is found; a search does not wait for the worker."""
        return await asyncio.to_thread(table.index.search, typed)


def _name(table, written):
    position = table.of_written(written)
    return readable(written) if position is None else table.name(position)


def address(path, **values):
    """Write an address with the values that are not None."""
    told = urlencode({name: value for name, value in values.items() if value is not None}, quote_via=quote)
    return f"{path}?{told}" if told else path


def percent(probability):
    """Write a probability with two figures of it, or of what it lacks to one."""
    if math.isnan(probability):
        return "–"
    if 0 < probability < 0.001:
        return "<0.1 %"
    if 0.999 < probability < 1:
        return ">99.9 %"
    return f"{100 * probability:.{int(not 0.0995 <= probability < 0.995)}f} %"


def check_written(*tables):
    """Refuse labels that a file of decisions cannot tell apart.

    Raises
    ------
    ValueError
        If there are some.
    """
    for table in tables:
        alike = table.written_alike
        if alike is not None:
            raise ValueError(
                f"the model has several labels that are written {shown(alike)}, such as a number and a string, which a "
                "file of decisions cannot tell apart; give them distinct labels"
            )


def file_digest(path):
    """SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
