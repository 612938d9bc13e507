"""Graphs that are read from the user's data folder, because their terms or their size keep them out of the package."""

from os import PathLike

import numpy as np

from .._graph.labels import as_labels
from .._graph.triple_tables import read_tsv
from ._authors import FILES as AUTHORS_FILES
from ._authors import is_authors_layout, load_authors_layout
from ._folder import Source, read_features
from ._graph import SPLITS, GraphBunch, graph_bunch, read_triples, relations_of

TSV_FILES = ("entities.tsv", "train.tsv", "valid.tsv", "test.tsv")
INDEX_FILES = ("entities.tsv.gz", "relations.txt", "triples.npz")

HANZI = Source(
    name="hanzi",
    files=(*TSV_FILES, "text_minilm_384.npy", "visual_pca_128.npy", "glyphs_24x24_u8.npz"),
    origin="https://github.com/amake/cjk-decomp and the Unihan database 15.0; the glyphs from Noto Sans CJK SC",
)
WN9IMG = Source(
    name="wn9img",
    files=(*TSV_FILES, "text_minilm_384.npy"),
    other_files=AUTHORS_FILES,
    origin="WN9-IMG (Xie et al., IJCAI 2017), https://github.com/thunlp/IKRL, and WordNet 3.0; "
    "in the authors' layout https://github.com/Lion-ZS/OTKGE",
)
FBIMG = Source(
    name="fbimg",
    files=(*INDEX_FILES, "text_minilm_pca192.npy"),
    other_files=AUTHORS_FILES,
    origin="FB15k (Bordes et al., 2013) in the split of Mousselly-Sergieh et al. (2018), and Wikidata; "
    "in the authors' layout https://github.com/Lion-ZS/OTKGE",
)
CODEX_S = Source(
    name="codex_s",
    files=INDEX_FILES,
    origin="CoDEx (Safavi and Koutra, 2020), https://github.com/tsafavi/codex",
)


def load_hanzi(data_home: str | PathLike[str] | None = None) -> GraphBunch:
    """Load the graph of Chinese characters: 5,781 characters, 11 relations, a text and an image modality.

    It is the set in which the image matters most: most relations say of which parts a character is composed. No pair of
    characters that a valid or test triple links is linked in train. Every entity and relation occurs in train.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder that has the sub-folder ``hanzi``. By default the environment variable ``SKOTKGE_DATA`` names it.

    Returns
    -------
    GraphBunch
        A dictionary whose entries are attributes too:

        train, valid, test : MultimodalTriples of shape (16540, 3), (2067, 3) and (2068, 3)
            They share one table of entities (characters), relations and modalities. Modalities are "text",
            ``(5781, 384)``, and "image", ``(5781, 128)``, both float16 and without missing rows.
        entity_names : ndarray of shape (5781,), dtype object
            Character, pinyin and definition, such as ``"磊 lei: pile of rocks or stones; great"``.
        images : ndarray of shape (5781, 24, 24), dtype uint8
            The drawn characters, 255 where the ink is.
        DESCR : str
            Relations, sources and licences.

    Raises
    ------
    ValueError
        If neither `data_home` nor ``SKOTKGE_DATA`` names a folder, or if a feature matrix does not fit the entities.
    FileNotFoundError
        If the sub-folder or one of its files (``entities.tsv``, ``train.tsv``, ``valid.tsv``, ``test.tsv``,
        ``text_minilm_384.npy``, ``visual_pca_128.npy``, ``glyphs_24x24_u8.npz``) is missing.

    Notes
    -----
    Derived from cjk-decomp [1]_ and the Unihan database 15.0 [2]_. It is not part of the package.

    References
    ----------
    .. [1] https://github.com/amake/cjk-decomp
    .. [2] J. H. Jenkins, R. Cook and K. Lunde, "Unicode Han Database", Unicode Standard Annex 38.

    Examples
    --------
    >>> from skotkge.datasets import load_hanzi
    >>> kg = load_hanzi("~/graphs")  # doctest: +SKIP
    >>> kg.train.labels[0].tolist()  # doctest: +SKIP
    ['磊', 'phonetic', '石']
    """
    folder = HANZI.folder(data_home)
    paths = HANZI.require(folder, HANZI.files)
    characters, _, pinyin, definitions = read_tsv(paths["entities.tsv"], n_fields=4)
    parts = _read_splits(paths)
    modalities = {
        "text": read_features(paths["text_minilm_384.npy"], len(characters)),
        "image": read_features(paths["visual_pca_128.npy"], len(characters)),
    }
    with np.load(paths["glyphs_24x24_u8.npz"], allow_pickle=False) as glyphs:
        images = glyphs["images"]
    return graph_bunch(
        HANZI.name,
        parts,
        modalities,
        entities=characters,
        entity_names=[
            f"{character} {sound}: {definition}"
            for character, sound, definition in zip(characters, pinyin, definitions, strict=True)
        ],
        relations=relations_of(parts),
        images=images,
    )


def load_wn9img(data_home: str | PathLike[str] | None = None) -> GraphBunch:
    """Load WN9-IMG: 6,555 synsets of WordNet, 9 relations.

    The smaller of the two benchmarks of the OTKGE paper [1]_, made by [2]_. Of its test triples 89.9 % are answered by
    a reversed pair in train: report the others apart.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder that has the sub-folder ``wn9img``. By default the environment variable ``SKOTKGE_DATA`` names it.

    Returns
    -------
    GraphBunch
        A dictionary whose entries are attributes too:

        train, valid, test : MultimodalTriples of shape (11741, 3), (1337, 3) and (1319, 3)
            They share one table of entities (synset ids), relations and modalities. The only modality is "text",
            ``(6555, 384)``, float16: sentence embeddings of the glosses. The layout of the paper's authors has "text"
            and "image", of the widths and number types that their files have.
        entity_names : ndarray of shape (6555,), dtype object
            The lemmas, such as ``"cell"``; in the layout of the authors the synset ids.
        DESCR : str
            Relations, sources and licences.

    Raises
    ------
    ValueError
        If neither `data_home` nor ``SKOTKGE_DATA`` names a folder, if a feature matrix does not have one row for each
        entity, or if several files fit the name of a matrix.
    FileNotFoundError
        If the sub-folder or one of its files is missing.

    Notes
    -----
    The sub-folder has one of two layouts. The second is read where there is a file ``train`` without extension.

    1. ``entities.tsv``, ``train.tsv``, ``valid.tsv``, ``test.tsv``, ``text_minilm_384.npy``.
    2. What the authors of OTKGE publish [3]_: ``train``, ``valid``, ``test`` (head, relation and tail, separated by
       tabs), and the matrices of the linked download, ``matrix_wn_ling.npy`` (read as "text") and
       ``matrix_wn_visual.npy`` (read as "image"). Row i of a matrix belongs to the i-th entity of the three files in
       the sorted order of their labels: so their ``process_datasets.py`` numbers the entities, and their model uses
       the numbers as rows. ``train.entities`` has this order.

    References
    ----------
    .. [1] Z. Cao, Q. Xu, Z. Yang, Y. He, X. Cao and Q. Huang, "OTKGE: Multi-modal Knowledge Graph Embeddings via
       Optimal Transport", NeurIPS 2022.
    .. [2] R. Xie, Z. Liu, H. Luan and M. Sun, "Image-embodied Knowledge Representation Learning", IJCAI 2017.
    .. [3] https://github.com/Lion-ZS/OTKGE

    Examples
    --------
    >>> from skotkge.datasets import load_wn9img
    >>> kg = load_wn9img("~/graphs")  # doctest: +SKIP
    >>> kg.train  # doctest: +SKIP
    MultimodalTriples(11741 triples, 6555 entities, 9 relations; text: 384 columns)
    """
    folder = WN9IMG.folder(data_home)
    if is_authors_layout(folder):
        return load_authors_layout(WN9IMG, folder)
    paths = WN9IMG.require(folder, WN9IMG.files)
    synsets, lemmas, _ = read_tsv(paths["entities.tsv"], n_fields=3)
    parts = _read_splits(paths)
    return graph_bunch(
        WN9IMG.name,
        parts,
        {"text": read_features(paths["text_minilm_384.npy"], len(synsets))},
        entities=synsets,
        entity_names=lemmas,
        relations=relations_of(parts),
    )


def load_fbimg(data_home: str | PathLike[str] | None = None) -> GraphBunch:
    """Load FB-IMG: 11,757 entities of Freebase, 1,231 relations.

    The larger of the two benchmarks of the OTKGE paper [1]_: FB15k [2]_ as split by [3]_. An inverse relation in
    train answers about 74 % of the test triples: report the others apart. Three test triples have an entity and twelve
    a relation that train lacks.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder that has the sub-folder ``fbimg``. By default the environment variable ``SKOTKGE_DATA`` names it.

    Returns
    -------
    GraphBunch
        A dictionary whose entries are attributes too:

        train, valid, test : MultimodalTriples of shape (285850, 3), (29580, 3) and (34863, 3)
            They share one table of entities (Freebase ids), relations and modalities. The only modality is "text",
            ``(11757, 192)``, float16: sentence embeddings of names and descriptions. The layout of the paper's authors
            has "text" and "image", of the widths and number types that their files have.
        entity_names : ndarray of shape (11757,), dtype object
            Readable names, such as ``"El Paso"``; in the layout of the authors the Freebase ids.
        DESCR : str
            Sources and licences.

    Raises
    ------
    ValueError
        If neither `data_home` nor ``SKOTKGE_DATA`` names a folder, if a feature matrix does not have one row for each
        entity, or if several files fit the name of a matrix.
    FileNotFoundError
        If the sub-folder or one of its files is missing.

    Notes
    -----
    The sub-folder has one of two layouts. The second is read where there is a file ``train`` without extension.

    1. ``entities.tsv.gz``, ``relations.txt``, ``triples.npz``, ``text_minilm_pca192.npy``.
    2. What the authors of OTKGE publish [4]_: ``train``, ``valid``, ``test`` (head, relation and tail, separated by
       tabs), and the matrices of the linked download, ``matrix_fb_ling.npy`` (read as "text") and
       ``matrix_fb_visual.npy`` (read as "image"). Row i of a matrix belongs to the i-th entity of the three files in
       the sorted order of their labels: so their ``process_datasets.py`` numbers the entities, and their model uses
       the numbers as rows. ``train.entities`` has this order.

    References
    ----------
    .. [1] Z. Cao, Q. Xu, Z. Yang, Y. He, X. Cao and Q. Huang, "OTKGE: Multi-modal Knowledge Graph Embeddings via
       Optimal Transport", NeurIPS 2022.
    .. [2] A. Bordes, N. Usunier, A. Garcia-Duran, J. Weston and O. Yakhnenko, "Translating Embeddings for Modeling
       Multi-relational Data", NIPS 2013.
    .. [3] H. Mousselly-Sergieh, T. Botschen, I. Gurevych and S. Roth, "A Multimodal Translation-Based Approach for
       Knowledge Graph Representation Learning", Joint Conference on Lexical and Computational Semantics, 2018.
    .. [4] https://github.com/Lion-ZS/OTKGE

    Examples
    --------
    >>> from skotkge.datasets import load_fbimg
    >>> kg = load_fbimg("~/graphs")  # doctest: +SKIP
    >>> kg.train  # doctest: +SKIP
    MultimodalTriples(285850 triples, 11757 entities, 1231 relations; text: 192 columns)
    """
    folder = FBIMG.folder(data_home)
    if is_authors_layout(folder):
        return load_authors_layout(FBIMG, folder)
    paths = FBIMG.require(folder, FBIMG.files)
    entities, names, _ = read_tsv(paths["entities.tsv.gz"], n_fields=3)
    (relations,) = read_tsv(paths["relations.txt"], n_fields=1)
    return graph_bunch(
        FBIMG.name,
        _read_indexed(paths["triples.npz"], SPLITS, entities, relations),
        {"text": read_features(paths["text_minilm_pca192.npy"], len(entities))},
        entities=entities,
        entity_names=names,
        relations=relations,
    )


def load_codex_s(data_home: str | PathLike[str] | None = None) -> GraphBunch:
    """Load CoDEx-S: 2,034 entities of Wikidata, 42 relations, no modality, with false triples to tell from true ones.

    The benchmark for triple classification [1]_: its false triples are plausible, and verified to be false. Every
    entity and relation occurs in train.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder that has the sub-folder ``codex_s``. By default the environment variable ``SKOTKGE_DATA`` names it.

    Returns
    -------
    GraphBunch
        A dictionary whose entries are attributes too:

        train, valid, test : MultimodalTriples of shape (32888, 3), (1827, 3) and (1828, 3)
            They share one table of entities (Wikidata ids) and relations (property ids).
        valid_negatives, test_negatives : MultimodalTriples of shape (1827, 3) and (1828, 3)
            False triples over the same table. They are not paired with the rows of `valid` and `test`.
        entity_names : ndarray of shape (2034,), dtype object
            English names, such as ``"Boston"``. The 903 entities without one have their Wikidata id here.
        relation_names : ndarray of shape (42,), dtype object
            English names, such as ``"field of work"``, in the order of ``train.relations``.
        DESCR : str
            Sources and licence.

    Raises
    ------
    ValueError
        If neither `data_home` nor ``SKOTKGE_DATA`` names a folder.
    FileNotFoundError
        If the sub-folder or one of its files (``entities.tsv.gz``, ``relations.txt``, ``triples.npz``) is missing.

    References
    ----------
    .. [1] T. Safavi and D. Koutra, "CoDEx: A Comprehensive Knowledge Graph Completion Benchmark", EMNLP 2020.

    Examples
    --------
    Known true and false triples together, to choose a threshold or to measure accuracy:

    >>> import numpy as np
    >>> from skotkge.datasets import load_codex_s
    >>> kg = load_codex_s("~/graphs")  # doctest: +SKIP
    >>> X = kg.train.with_triples(np.vstack([kg.test, kg.test_negatives]))  # doctest: +SKIP
    >>> y = np.repeat([1, 0], [len(kg.test), len(kg.test_negatives)])  # doctest: +SKIP

    The validation triples with their negatives are for the ``X_val`` and ``y_val`` of `OTKGEClassifier.fit`.
    """
    folder = CODEX_S.folder(data_home)
    paths = CODEX_S.require(folder, CODEX_S.files)
    entities, names, _, _ = read_tsv(paths["entities.tsv.gz"], n_fields=4)
    relations, relation_names = read_tsv(paths["relations.txt"], n_fields=2)
    return graph_bunch(
        CODEX_S.name,
        _read_indexed(paths["triples.npz"], (*SPLITS, "valid_negatives", "test_negatives"), entities, relations),
        {},
        entities=entities,
        entity_names=[name or entity for entity, name in zip(entities, names, strict=True)],
        relations=relations,
        relation_names=as_labels(relation_names),
    )


def _read_splits(paths):
    return {split: read_triples(paths[f"{split}.tsv"]) for split in SPLITS}


def _read_indexed(path, parts, entities, relations):
    """Read the named parts from an archive of indices into the labels."""
    columns = [as_labels(labels) for labels in (entities, relations, entities)]
    with np.load(path, allow_pickle=False) as archive:
        return {
            part: np.column_stack([labels[ids] for labels, ids in zip(columns, archive[part].T, strict=True)])
            for part in parts
        }
