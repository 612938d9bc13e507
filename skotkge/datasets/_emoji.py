"""The emoji graph that comes with the package."""

from importlib.resources import as_file, files

import numpy as np

from .._graph.triple_tables import read_tsv
from ._graph import SPLITS, GraphBunch, graph_bunch, read_triples, relations_of

PICTURES_PER_ROW = 42
PICTURE_SIZE = 32


def load_emoji() -> GraphBunch:
    """Load the emoji graph: 1,662 emoji, 12 relations, a text and an image modality.

    The only graph that comes with the package, so it needs no download and no folder. No pair of emoji that a valid or
    test triple links is linked in train, in either direction and by any relation. Every entity and relation occurs in
    train.

    Returns
    -------
    GraphBunch
        A dictionary whose entries are attributes too:

        train, valid, test : MultimodalTriples of shape (5120, 3), (639, 3) and (639, 3)
            They share one table of entities, relations and modalities. Entities are labelled by their code points in
            hexadecimal, joined by ``-`` and without variation selector 16, such as ``"1F9F9"``. Modalities are
            "text", ``(1662, 384)``, and "image", ``(1662, 128)``, both float16 and without missing rows.
        entity_names : ndarray of shape (1662,), dtype object
            Emoji and English name of every entity, in the order of ``train.entities``.
        DESCR : str
            Relations, sources, known flaws and licences.

    See Also
    --------
    emoji_images : The pictures behind the image modality.

    Notes
    -----
    Derived from Unicode emoji data 15.0, CLDR 41 [1]_ and Noto Color Emoji 2.042 [2]_. The text modality holds sentence
    embeddings [3]_ of the English names, the image modality plain features of the pictures. The notices that go with
    these data are in ``NOTICE.txt``, beside the data.

    References
    ----------
    .. [1] Unicode Common Locale Data Repository, https://cldr.unicode.org
    .. [2] Noto Emoji, https://github.com/googlefonts/noto-emoji
    .. [3] N. Reimers and I. Gurevych, "Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks", EMNLP 2019.

    Examples
    --------
    >>> from skotkge.datasets import load_emoji
    >>> kg = load_emoji()
    >>> kg.train
    MultimodalTriples(5120 triples, 1662 entities, 12 relations; text: 384 columns; image: 128 columns)
    >>> kg.train.labels[0].tolist()
    ['1F9F9', 'annotated_with', '1F9DB']
    >>> head, _, tail = kg.train.ids[0]
    >>> kg.entity_names[[head, tail]].tolist()
    ['🧹 broom', '🧛 vampire']
    """
    parts = {split: _read_bundled(f"{split}.tsv", read_triples) for split in SPLITS}
    keys, characters, names = _read_bundled("entities.tsv", read_tsv, n_fields=3)
    modalities = {
        "text": _read_bundled("text_minilm_384.npy", np.load, allow_pickle=False),
        "image": _read_bundled("visual_pca_128.npy", np.load, allow_pickle=False),
    }
    return graph_bunch(
        "emoji",
        parts,
        modalities,
        entities=keys,
        entity_names=[f"{character} {name}" for character, name in zip(characters, names, strict=True)],
        relations=relations_of(parts),
    )


def emoji_images() -> np.ndarray:
    """Load the pictures of the emoji graph.

    Returns
    -------
    ndarray of shape (1662, 32, 32, 4), dtype uint8
        Red, green, blue and opacity of the pixels of every entity, in the order of ``load_emoji().train.entities``.
        Every picture is cropped to its visible part and centred; what surrounds it is transparent.

    Raises
    ------
    ImportError
        If Pillow is missing. It comes with matplotlib: ``pip install ".[plot]"``.

    See Also
    --------
    load_emoji : The graph.

    Notes
    -----
    From Noto Color Emoji 2.042, Copyright 2022 Google Inc., under the SIL Open Font License 1.1, cropped and scaled.

    Examples
    --------
    >>> from skotkge.datasets import emoji_images
    >>> pictures = emoji_images()
    >>> pictures.shape
    (1662, 32, 32, 4)

    ``plt.imshow(pictures[0])`` draws the first one.
    """
    keys, _, _ = _read_bundled("entities.tsv", read_tsv, n_fields=3)
    sheet = _read_bundled("images_32px_sheet.png", _read_png)
    n_rows = len(sheet) // PICTURE_SIZE
    grid = sheet.reshape(n_rows, PICTURE_SIZE, PICTURES_PER_ROW, PICTURE_SIZE, 4).swapaxes(1, 2)
    return grid.reshape(-1, PICTURE_SIZE, PICTURE_SIZE, 4)[: len(keys)]


def _read_bundled(file_name, read, **options):
    with as_file(files(__package__) / "data" / "emoji" / file_name) as path:
        return read(path, **options)


def _read_png(path):
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            'emoji_images needs Pillow to read the pictures; it comes with matplotlib: pip install ".[plot]".'
        ) from error
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGBA"))
