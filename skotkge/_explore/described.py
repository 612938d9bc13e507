"""What is told of entities beside their labels: by a folder of the graph, or else by the model."""

from .folders import check_picture


class Described:
    """Names, texts and pictures by position; where a folder tells something of an entity, that counts.

    Parameters
    ----------
    labels : ndarray of shape (n,), dtype object
    told : dict of str to sequence of str or None, default=()
        Of the model: "names", "texts" and "pictures", of the first of the labels or of all.
    folder : GraphFolder, default=None
    picture_folder : Path, default=None
        Where the pictures that the model names have to lie; without one none is shown.
    """

    def __init__(self, labels, told=(), folder=None, picture_folder=None):
        self._labels, self._told = labels, {what: values for what, values in dict(told).items() if values is not None}
        self._folder = folder
        self._picture_folder = None if picture_folder is None else picture_folder.resolve()

    def _of(self, what, position):
        """What the folder tells, and what the model does, None where there is nothing."""
        own = None if self._folder is None else getattr(self._folder, what).get(self._labels[position])
        values = self._told.get(what, ())
        return own, values[position] if position < len(values) else None

    def name(self, position):
        """Return the readable name of an entity, or None."""
        return next((name for name in self._of("names", position) if name is not None), None)

    @property
    def has_names(self):
        """Whether any has a name."""
        return "names" in self._told or bool(self._folder is not None and self._folder.names)

    @property
    def names(self):
        """The name of each or None; None where nothing has one."""
        if not self.has_names:
            return None
        names = list(self._told.get("names", ()))
        names += [None] * (len(self._labels) - len(names))
        if self._folder is not None and self._folder.names:
            own = self._folder.names
            names = [own.get(label, name) for label, name in zip(self._labels, names, strict=True)]
        return names

    def text(self, position):
        """Return the text about an entity, or None."""
        return next((text for text in self._of("texts", position) if text is not None), None)

    def picture(self, position):
        """Return the path of the picture of an entity, or None; no other file than a picture in its folder."""
        roots = None if self._folder is None else self._folder.path, self._picture_folder
        for root, picture in zip(roots, self._of("pictures", position), strict=True):
            if root is not None and picture is not None:
                return _file_in(root, picture)
        return None

    @property
    def first_lost_picture(self):
        """The first picture of the model where it is not in its folder, so that others will not be either, or None."""
        pictures = self._told.get("pictures", ())
        position = next((place for place, picture in enumerate(pictures) if picture is not None), None)
        return None if position is None or self.picture(position) else pictures[position]


def _file_in(root, picture):
    try:
        path = check_picture(root, picture)
    except ValueError:
        return None
    return path if path.is_file() else None
