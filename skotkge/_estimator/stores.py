"""Where checkpoints are kept: in the files of a folder, or in memory."""

from pathlib import Path

from .saving import load, write_skops

SUFFIX = ".skops"
# Folder of what several processes write.
SHARDS = "shards"


class FolderStore:
    """Values by name, each in a file that is whole and sealed.

    Parameters
    ----------
    folder : path-like
        Created when something is written.
    must_exist : bool, default=False
        Whether it is an error when there is nothing to go on from.
    """

    def __init__(self, folder, must_exist=False):
        self.folder, self.must_exist, self.opened = Path(folder), must_exist, None

    def within(self, name):
        """Return the store of a subfolder, which is `opened` from then on."""
        self.opened = FolderStore(self.folder / name, self.must_exist)
        return self.opened

    def check(self):
        """Raise ValueError if there is nothing to go on from but should be."""
        if self.must_exist and not self.names():
            beside = sorted(path.name for path in self.folder.parent.glob("*") if path.is_dir())
            others = f"; {len(beside)} other fits have checkpoints there: {', '.join(beside[:3])}" if beside else ""
            raise ValueError(
                f"there is nothing to resume in {self.folder.parent} for these data and parameters{others}; leave "
                "resuming out to start anew."
            )

    def shards(self):
        """Return the store of what several processes write, by its whole path, which has to be the same for all."""
        return FolderStore(self.folder.resolve() / SHARDS)

    def names(self):
        """Names of all values."""
        return sorted(path.stem for path in self.folder.glob(f"[!.]*{SUFFIX}"))

    def path(self, name):
        """Path of the file of a name."""
        return self.folder / f"{name}{SUFFIX}"

    def write(self, name, values):
        """Write values in place of earlier ones."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_skops(values, self.path(name))

    def read(self, name, trusted=False):
        """Return values, or None where there are none of the name."""
        path = self.path(name)
        return load(path, trusted=trusted) if path.exists() else None

    def remove(self, name):
        """Remove values, if they are there."""
        self.path(name).unlink(missing_ok=True)


def remove_all_but(store, start, names=()):
    """Remove the values whose names begin in some way, but for some."""
    for name in store.names():
        if name.startswith(start) and name not in names:
            store.remove(name)


class MemoryStore:
    """Values by name in memory, of one fit."""

    def __init__(self):
        self._values, self.opened = {}, None

    def within(self, name):
        """Return the store itself, emptied of another fit."""
        self._values, self.opened = {}, self
        return self

    def check(self):
        """Do nothing: there is always nothing to go on from."""

    def names(self):
        """Names of all values."""
        return sorted(self._values)

    def write(self, name, values):
        """Keep values in place of earlier ones."""
        self._values[name] = values

    def read(self, name, trusted=False):
        """Return values, or None where there are none of the name."""
        return self._values.get(name)

    def remove(self, name):
        """Forget values."""
        self._values.pop(name, None)


def store_of(place):
    """Return the store of a folder, or a store itself."""
    return place if hasattr(place, "within") else FolderStore(place)
