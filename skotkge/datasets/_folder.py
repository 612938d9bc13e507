"""Finding and reading the files of a data set below the user's data folder."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ENVIRONMENT_VARIABLE = "SKOTKGE_DATA"


@dataclass(frozen=True)
class Source:
    """A data set that is read from a folder.

    Parameters
    ----------
    name : str
        The data set and its sub-folder.
    files : tuple of str
        The files expected in the sub-folder.
    origin : str
        Where the data come from, for the error messages.
    other_files : tuple of str, default=()
        The files of a second layout, which may take the place of the first.
    """

    name: str
    files: tuple[str, ...]
    origin: str
    other_files: tuple[str, ...] = ()

    def folder(self, data_home):
        """Find the data set's sub-folder.

        Raises
        ------
        ValueError
            If neither `data_home` nor the environment variable names a folder.
        FileNotFoundError
            If the sub-folder is missing.
        """
        folder = _data_home(data_home, self.name) / self.name
        if not folder.is_dir():
            raise FileNotFoundError(f"The folder {folder} is missing. {self._expectation(folder)}")
        return folder

    def require(self, folder, files):
        """Return the paths of some files by their names.

        Raises
        ------
        FileNotFoundError
            If one of them is missing.
        """
        for name in files:
            if not (folder / name).is_file():
                raise FileNotFoundError(f"The file {name} is missing in {folder}. {self._expectation(folder)}")
        return {name: folder / name for name in files}

    def match(self, folder, pattern):
        """Return the path of the one file whose name fits a pattern.

        Raises
        ------
        FileNotFoundError
            If no name fits.
        ValueError
            If several do.
        """
        matches = sorted(folder.glob(pattern))
        if not matches:
            raise FileNotFoundError(f"The file {pattern} is missing in {folder}. {self._expectation(folder)}")
        if len(matches) > 1:
            found = ", ".join(path.name for path in matches)
            raise ValueError(f"{folder} has several files {pattern} ({found}); leave only the one of {self.name}.")
        return matches[0]

    def _expectation(self, folder):
        expected = ", ".join(self.files)
        if self.other_files:
            expected += f"; or, as the authors of OTKGE publish it, {', '.join(self.other_files)}"
        return f"Expected in {folder}: {expected}. The data come from {self.origin}."


def _data_home(data_home, name):
    if data_home is None:
        data_home = os.environ.get(ENVIRONMENT_VARIABLE) or None
    if data_home is None:
        raise ValueError(
            f"data_home is None and the environment variable {ENVIRONMENT_VARIABLE} is not set; pass data_home=FOLDER "
            f"or set {ENVIRONMENT_VARIABLE}=FOLDER, where FOLDER has the sub-folder {name}."
        )
    return Path(data_home).expanduser()


def read_features(path, n_entities):
    """Read a feature matrix, keeping its number type.

    Parameters
    ----------
    path : Path
    n_entities : int
        The number of rows that it must have.

    Returns
    -------
    ndarray of shape (n_entities, n_features)

    Raises
    ------
    ValueError
        If the file is no plain NumPy array or its shape is another one.
    """
    try:
        features = np.load(path, allow_pickle=False)
    except ValueError as error:
        raise ValueError(f"{path} is not a NumPy file of plain numbers: {error}") from error
    if features.ndim != 2 or len(features) != n_entities:
        raise ValueError(
            f"{path} has the shape {features.shape}, expected ({n_entities}, n_features): one row for each of the "
            f"{n_entities} entities of {path.parent}. Take the matrix and the triples from one version of the data."
        )
    return features
