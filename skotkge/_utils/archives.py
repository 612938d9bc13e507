"""Archives of skops written and read without its copies of the arrays: these go from memory to the file and back.

skops holds each array and the whole archive in memory once more. So it is given small arrays that stand for the large
ones, and what their names stand for in the file are the arrays.
"""

import io
import zipfile
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

# Bytes; smaller arrays are left to skops, among them those in random states, which are no plain values (2,496 bytes).
SMALLEST = 2**16
# No array of a model has this type.
STAND_IN = np.dtype([("stands for array number", "<i8")])

_in_archive = ContextVar("arrays of the archive that is being written or read", default=None)


class StandIns:
    """Large arrays, and small ones that stand for them.

    An array that occurs twice has one stand-in.
    """

    def __init__(self):
        self._arrays, self._of, self._files, self._states = [], {}, {}, {}

    def add(self, array):
        """Return the stand-in of an array."""
        if id(array) not in self._of:
            self._of[id(array)] = np.array([(len(self._arrays),)], dtype=STAND_IN)
            self._arrays.append(array)  # keeps it, and so its id
        return self._of[id(array)]

    def replace(self, value):
        """Return a value with stand-ins for the large arrays in its dicts, lists and tuples."""
        return _changed(value, self._replaced)

    def _replaced(self, array):
        if array.nbytes < SMALLEST or array.dtype.hasobject:
            return array
        stand_in = self.add(array)
        self._files[as_file(stand_in)] = array
        return stand_in

    def restore(self, value):
        """Return a value with the arrays in the places of their stand-ins."""
        return _changed(value, lambda array: self._arrays[array.item()[0]] if array.dtype == STAND_IN else array)

    def array_of(self, content):
        """The array that the content of a file stands for, or None."""
        return self._files.get(content)

    def state(self, state_of):
        """Return what a method of an object makes, called once, with stand-ins."""
        owner = id(state_of.__self__)
        if owner not in self._states:
            self._states[owner] = state_of, self.replace(state_of())  # keeps the object, and so its id
        return self._states[owner][1]


def _changed(value, change):
    """Call a function for each array in dicts, lists and tuples."""
    if type(value) is np.ndarray:
        return change(value)
    if type(value) is dict:
        return {key: _changed(entry, change) for key, entry in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_changed(entry, change) for entry in value)
    return value


def as_file(array):
    """The bytes of a file with an array."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


@contextmanager
def stand_ins():
    """Let stand-ins take the places of large arrays in states, in this thread and block."""
    arrays = StandIns()
    token = _in_archive.set(arrays)
    try:
        yield arrays
    finally:
        _in_archive.reset(token)


def state_for_archive(state_of):
    """Return the state of an estimator, with stand-ins where an archive is being written.

    Parameters
    ----------
    state_of : method
        Makes the state; called once for each archive, where skops asks twice.
    """
    arrays = _in_archive.get()
    return state_of() if arrays is None else arrays.state(state_of)


def state_from_archive(state):
    """Return a state with its arrays, where an archive is being read."""
    arrays = _in_archive.get()
    return state if arrays is None else arrays.restore(state)


def write_archive(values, file):
    """Write the archive that ``skops.io.dump`` would make.

    Parameters
    ----------
    values : object
        A model or plain values.
    file : binary file
    """
    from skops.io import dumps

    with stand_ins() as arrays:
        small = dumps(arrays.replace(values))
    with zipfile.ZipFile(io.BytesIO(small)) as source, zipfile.ZipFile(file, "w") as archive:
        for name in source.namelist():
            content = source.read(name)
            array = arrays.array_of(content)
            if array is None:
                archive.writestr(name, content)
            else:
                with archive.open(name, "w", force_zip64=array.nbytes >= 2**30) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)


def read_archive(file, load):
    """Read an archive of skops in which nothing but plain values and estimators of this library holds arrays.

    Parameters
    ----------
    file : binary file
    load : callable
        Loads an archive from a binary file.

    Returns
    -------
    object
        What `load` returns.
    """
    small = io.BytesIO()
    with stand_ins() as arrays:
        with zipfile.ZipFile(file) as archive, zipfile.ZipFile(small, "w") as target:
            for member in archive.infolist():
                is_large = member.filename.endswith(".npy") and member.file_size >= SMALLEST
                content = as_file(arrays.add(_read_array(archive, member))) if is_large else archive.read(member)
                target.writestr(member.filename, content)
        return arrays.restore(load(small))


def _read_array(archive, member):
    with archive.open(member) as content:
        array = np.lib.format.read_array(content, allow_pickle=False)
        if content.read():
            raise ValueError(f"{member.filename} is longer than its array")
    return array
