"""Pre-trained models of texts and pictures, used when installed and asked for; and pictures as plain pixels."""

import os
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

from .._utils.messages import shown
from ._columns import ColumnEncoder, keep_true_components
from ._kinds import as_text

PIXELS = 16
PICTURES_AT_ONCE = 32


class SentenceEncoder(ColumnEncoder):
    """Vectors of texts by a model of sentence-transformers.

    Parameters
    ----------
    model_name : str
        As for ``sentence_transformers.SentenceTransformer``.
    """

    def __init__(self, model_name):
        self.model_name = model_name

    def fit(self, X, y=None):
        return self._numbered(self.transform(X[:1]).shape[1])

    def transform(self, X):
        # The model is not kept: a fitted encoder stays small, and its file needs no library.
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise ImportError(
                f"text_encoder={shown(self.model_name)} is a model of sentence-transformers: pip install "
                "sentence-transformers; 'tfidf' and 'hashing' need nothing."
            ) from error
        return np.asarray(SentenceTransformer(self.model_name).encode(list(map(as_text, X))), dtype=np.float32)


class PictureEncoder(ColumnEncoder):
    """Pixels of pictures, reduced to their principal components; or features of a model of torchvision.

    Parameters
    ----------
    model_name : str, default="pixels"
        ``"pixels"``, or a name that ``torchvision.models.get_model`` takes.
    folder : str or path-like, default=None
        Where the paths begin.
    n_components : int, default=64
        Most principal components of the pixels.
    random_state : int, RandomState instance or None, default=None
        Draws the start of the randomised SVD.
    """

    def __init__(self, model_name="pixels", folder=None, n_components=64, random_state=None):
        self.model_name = model_name
        self.folder = folder
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X, y=None):
        if self.model_name != "pixels":
            return self._numbered(self._features(X[:1]).shape[1])
        pixels = self._pixels(X)
        kept = min(self.n_components, *pixels.shape)
        with np.errstate(invalid="ignore", divide="ignore"):  # shares of no variance, of one picture
            self.pca_ = PCA(kept, random_state=self.random_state).fit(pixels)
        keep_true_components(self.pca_)
        return self._numbered(len(self.pca_.components_))

    def transform(self, X):
        return self.pca_.transform(self._pixels(X)) if self.model_name == "pixels" else self._features(X)

    def _pixels(self, paths):
        """Red, green and blue of the shrunken pictures, in [0, 1]."""
        size = PIXELS, PIXELS
        return np.stack([np.asarray(self._open(path).resize(size), dtype=np.float32).ravel() / 255 for path in paths])

    def _features(self, paths):
        """What the model has before its last layer."""
        torch, models = _torchvision(self.model_name)
        weights = models.get_model_weights(self.model_name).DEFAULT
        model, prepare = models.get_model(self.model_name, weights=weights).eval(), weights.transforms()
        last = list(model.named_children())[-1][0]
        setattr(model, last, torch.nn.Identity())
        blocks = []
        with torch.no_grad():
            for start in range(0, len(paths), PICTURES_AT_ONCE):
                block = torch.stack([prepare(self._open(path)) for path in paths[start : start + PICTURES_AT_ONCE]])
                blocks.append(model(block).flatten(1).numpy())
        return np.concatenate(blocks)

    def _open(self, path):
        """Open a picture on a white ground."""
        Image = _pillow()
        whole = Path(self.folder or "") / os.fspath(path)
        try:
            with Image.open(whole) as picture:
                picture = picture.convert("RGBA")
        except OSError as error:
            raise ValueError(f"it has the picture {str(whole)[-120:]!r}, which cannot be opened: {error}") from error
        white = Image.new("RGBA", picture.size, "white")
        white.alpha_composite(picture)
        return white.convert("RGB")


def _pillow():
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError('pictures need Pillow: pip install ".[encoding]".') from error
    return Image


def _torchvision(model_name):
    try:
        import torch
        from torchvision import models
    except ImportError as error:
        raise ImportError(
            f"image_encoder={shown(model_name)} is a model of torchvision: pip install torchvision; 'pixels' needs "
            "Pillow alone."
        ) from error
    return torch, models
