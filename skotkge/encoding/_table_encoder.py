"""TableEncoder and `encode_table`: tables of attributes as modality matrices."""

from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from .._graph.labels import name_first
from .._graph.modalities import LABEL_COLUMN
from .._utils.api_links import LinksToApi
from .._utils.autologging import unlogged
from .._utils.frames import data_frame
from .._utils.messages import shown, tell
from .._utils.sklearn_compat import Interval, StrOptions, check_feature_names_in, fit_context
from ._columns import (
    ArrayEncoder,
    BooleanEncoder,
    CategoryEncoder,
    DateEncoder,
    NumberEncoder,
    VectorEncoder,
    WordEncoder,
    tag_vectorizer,
    tags_of,
    text_vectorizer,
)
from ._kinds import KINDS, are_dressed_numbers, guess_kind, is_number, is_word_for_missing
from ._models import PictureEncoder, SentenceEncoder
from ._tables import Columns, as_columns

# The modality that columns of a kind are part of; a column of vectors, or with a transformer of its own, is one itself.
MODALITY_OF = {
    "number": "numbers",
    "boolean": "numbers",
    "date": "numbers",
    "category": "categories",
    "tags": "categories",
    "text": "text",
    "image": "image",
}
DROP = "drop"
# Kinds among whose values words such as "unknown" are holes.
WITH_WORDS_FOR_MISSING = ("number", "boolean", "date", "image")


class TableEncoder(LinksToApi, TransformerMixin, BaseEstimator):
    """Turn the columns of a table into numbers, kind by kind, and leave what is missing missing.

    The columns of a kind become one modality: "numbers" has numbers, truth values and dates, "categories" has
    categories and tags, "text" and "image" have texts and pictures. A column of vectors, or one with a transformer of
    its own, is a modality of its own name.

    Parameters
    ----------
    spec : "auto" or mapping of str to str or transformer, default="auto"
        What columns hold: ``"number"``, ``"boolean"``, ``"category"``, ``"date"``, ``"text"``, ``"tags"`` (lists of
        them), ``"image"`` (paths) or ``"vector"`` (lists of numbers); a transformer of scikit-learn's that takes an
        array of one column; or ``"drop"``. Columns that it does not name, and all of them for "auto", are guessed by
        their values. Strings are numbers or dates if all of them are written so, pictures if they end like ``.png``,
        categories if at most `max_categories` and at most two thirds of them are distinct, else texts. Words beside
        numbers make categories or texts of both, apart from those that stand for a hole, see Notes. Lists of numbers
        are vectors; whole numbers of different counts are tags.
    entity : str, default="entity"
        The column with the labels of the entities; where there is none, they are the index of a pandas data frame.
    text_encoder : str, default="tfidf"
        ``"tfidf"`` or ``"hashing"`` of the letters, reduced by a truncated SVD; or the name of a model of
        sentence-transformers, which has to be installed.
    image_encoder : str, default="pixels"
        ``"pixels"``, or the name of a model of torchvision, which has to be installed and whose weights are downloaded
        when first used.
    image_folder : str or path-like, default=None
        Where the paths of pictures begin; None: where Python runs.
    n_components : int, default=64
        Most columns that each text, picture or list of tags becomes.
    max_categories : int, default=40
        Most columns of a category; the rarest share one.
    random_state : int, RandomState instance or None, default=None
        Draws the starts of randomised SVDs.

    Attributes
    ----------
    kinds_ : dict of str to str
        The kind of each column: one of those of `spec`, "transformer", or "empty" where all is missing.
    modality_columns_ : dict of str to slice
        The columns of each modality in what `transform` gives.
    encoders_ : dict of str to transformer
        The fitted encoder of each column.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_columns,), dtype object
        Columns of the table without that of the labels.

    See Also
    --------
    encode_table : The matrices of all modalities at once.

    Notes
    -----
    Missing are None, NaN, NaT, NA and empty strings; beside numbers, truth values, dates or pictures also NA, n/a, nan,
    nil, none, null, missing, unknown, ?, - and --, in capitals or not. Where an entity lacks all columns of a modality,
    its row of the modality is missing: NaN. Where it lacks some, the mean of the others stands in for each, and for
    every column that had such holes in `fit`, another one named ``missing_...`` has 1 for a hole.

    skrub's ``TableVectorizer`` encodes tables in a line, and what it gives is a modality as it is. It is not used here
    because holes of texts and categories become zeros there rather than missing, strings such as "NA" are always
    holes, lists are encoded as they are printed, and numbers keep their scale.

    Examples
    --------
    >>> import pandas as pd
    >>> from skotkge.encoding import TableEncoder
    >>> table = pd.DataFrame({"entity": ["at", "ch", "is"], "area": [83_879, 41_285, None], "eu": [True, False, False]})
    >>> encoder = TableEncoder().fit(table)
    >>> encoder.kinds_
    {'area': 'number', 'eu': 'boolean'}
    >>> encoder.transform(table)
    array([[ 1.,  1.,  0.],
           [-1.,  0.,  0.],
           [ 0.,  0.,  1.]], dtype=float32)
    >>> encoder.get_feature_names_out().tolist()
    ['area', 'eu', 'missing_area']
    """

    _parameter_constraints = {
        "spec": [StrOptions({"auto"}), Mapping],
        "entity": [str],
        "text_encoder": [str],
        "image_encoder": [str],
        "image_folder": [str, PathLike, None],
        "n_components": [Interval(Integral, 1, 2**31 - 1, closed="both")],
        "max_categories": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        spec: Any = "auto",
        *,
        entity: str = LABEL_COLUMN,
        text_encoder: str = "tfidf",
        image_encoder: str = "pixels",
        image_folder: str | PathLike[str] | None = None,
        n_components: int = 64,
        max_categories: int = 40,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.spec = spec
        self.entity = entity
        self.text_encoder = text_encoder
        self.image_encoder = image_encoder
        self.image_folder = image_folder
        self.n_components = n_components
        self.max_categories = max_categories
        self.random_state = random_state

    @unlogged()
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> "TableEncoder":
        """Learn how each column is encoded.

        Parameters
        ----------
        X : data frame, mapping of columns or array of shape (n_rows, n_columns)
            Of pandas or polars for instance. One with the columns entity, attribute and value alone is long: each
            attribute becomes a column. Several numbers, truth values or dates of one entity become their mean, other
            values a list of tags.
        y : array-like, default=None
            Not used.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If `spec` names a column that is not there, or a column has values of no kind or of another kind than
            `spec` says; the message names it.

        Warns
        -----
        UserWarning
            If a column is empty, and left out.
        """
        self._fit_columns(as_columns(X, self.entity))
        return self

    @unlogged()
    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: Any = None) -> NDArray[np.float32]:
        """Fit, then encode the same table, with each column encoded once.

        Parameters
        ----------
        X : data frame, mapping of columns or array of shape (n_rows, n_columns)
            As for `fit`.
        y : array-like, default=None
            Not used.

        Returns
        -------
        ndarray of shape (n_rows, n_features), dtype float32
            As from `transform`.
        """
        columns = as_columns(X, self.entity)
        parts = self._fit_columns(columns)
        return self._joined(_without_words_for_missing(columns, self.kinds_), parts)

    def _fit_columns(self, columns):
        """Fit an encoder to each column, and return what it makes of the values that are there."""
        if not len(columns) or not columns.values:
            raise ValueError(
                f"Found table with {len(columns)} sample(s) and {len(columns.values)} feature(s) (shape="
                f"({len(columns)}, {len(columns.values)})) while a minimum of 1 is required by TableEncoder."
            )
        kinds, transformers = self._kinds(columns)
        columns = _without_words_for_missing(columns, kinds)
        encoders, parts = {}, {}
        for name in [name for name, kind in kinds.items() if kind not in (DROP, "empty")]:
            values = _there(columns.values[name])
            encoders[name] = _named(name, self._encoder(kinds[name], transformers.get(name)).fit, values)
            parts[name] = _encoded(name, encoders[name], values)
        self.kinds_, self.encoders_ = kinds, encoders
        self.n_features_in_ = len(kinds)
        self.feature_names_in_ = np.array(list(kinds), dtype=object)
        self._learn_holes(columns.values, parts)
        return parts

    def _kinds(self, columns):
        """Return the kind of each column, and the transformers that the specification gives."""
        values = columns.values
        spec = {} if isinstance(self.spec, str) else dict(self.spec)
        for name, wanted in spec.items():
            if name not in values:
                raise ValueError(f"spec names {name!r}, which is no column of the table: {name_first(list(values))}.")
            if not (wanted in (*KINDS, DROP) if isinstance(wanted, str) else hasattr(wanted, "fit_transform")):
                raise ValueError(
                    f"spec has {wanted!r} for {name!r}; expected one of {', '.join(map(repr, KINDS))}, 'drop' or a "
                    "transformer."
                )
        kinds = {
            name: spec[name] if name in spec else self._guess(name, column, columns.was_long)
            for name, column in values.items()
        }
        transformers = {name: kind for name, kind in kinds.items() if not isinstance(kind, str)}
        empty = [name for name, column in values.items() if kinds[name] != DROP and _is_empty(column, kinds[name])]
        if empty:
            tell(f"the table has no value at all in {name_first(empty)}; left out.")
        kinds |= dict.fromkeys(transformers, "transformer") | dict.fromkeys(empty, "empty")
        return kinds, transformers

    def _guess(self, name, column, was_long):
        values = _there(column)
        kind = guess_kind(values, self.max_categories, pools=was_long)
        if kind is None:
            found = ", ".join(sorted({type(value).__name__ for value in values}))
            raise ValueError(
                f"the table has values of the type {found} in the column {name!r}, which are of no kind together; say "
                f"what it holds, such as spec={{{name!r}: 'category'}}, or leave it out with 'drop'."
            )
        if kind in ("category", "text") and are_dressed_numbers(values):
            example = next(value for value in values if isinstance(value, str) and not is_number(value))
            tell(
                f"the column {name!r} is read as {kind}, although its values look like numbers with units or "
                f"separators ({shown(example)}): give plain numbers, or spec={{{name!r}: {kind!r}}} to keep it."
            )
        return kind

    def _encoder(self, kind, transformer):
        """Return an unfitted encoder of a kind of column."""
        options = dict(n_components=self.n_components, random_state=self.random_state)
        if kind == "text":
            if self.text_encoder not in ("tfidf", "hashing"):
                return SentenceEncoder(self.text_encoder)
            return WordEncoder(text_vectorizer(self.text_encoder), **options)
        if kind == "image":
            return PictureEncoder(self.image_encoder, self.image_folder, **options)
        return {
            "number": NumberEncoder,
            "boolean": BooleanEncoder,
            "date": DateEncoder,
            "vector": VectorEncoder,
            "category": lambda: CategoryEncoder(self.max_categories),
            "tags": lambda: WordEncoder(tag_vectorizer(), **options),
            "transformer": lambda: ArrayEncoder(clone(transformer)),
        }[kind]()

    def _learn_holes(self, values, parts):
        """Learn the means that stand in for holes, and of which columns another one tells the holes."""
        self._means = {name: part.mean(axis=0) for name, part in parts.items()}
        self._groups, self._holed, self.modality_columns_, names = {}, {}, {}, []
        for name in parts:
            self._groups.setdefault(MODALITY_OF.get(self.kinds_[name], name), []).append(name)
        for modality, group in self._groups.items():
            start, present = len(names), {name: _present(values[name]) for name in group}
            rows = np.logical_or.reduce(list(present.values()))
            for name in group:
                names += [f"{name}_{suffix}" if suffix else str(name) for suffix in self.encoders_[name].suffixes_]
            self._holed[modality] = [name for name in group if (rows & ~present[name]).any()]
            names += [f"missing_{name}" for name in self._holed[modality]]
            self.modality_columns_[modality] = slice(start, len(names))
        self._names_out = np.array(names, dtype=object)

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Encode the rows of a table with the columns of the fit.

        Parameters
        ----------
        X : data frame, mapping of columns or array of shape (n_rows, n_columns)
            With the columns of `fit`, in any order; further ones are not looked at.

        Returns
        -------
        ndarray of shape (n_rows, n_features), dtype float32
            Of a long table a row for each entity, in order of first appearance. The rows of a modality that an entity
            lacks are NaN.

        Raises
        ------
        ValueError
            If a column is not there, or has a value that its encoder cannot take.
        """
        check_is_fitted(self, "encoders_")
        columns = _without_words_for_missing(self._checked(as_columns(X, self.entity)), self.kinds_)
        parts = {
            name: _encoded(name, encoder, _there(columns.values[name])) for name, encoder in self.encoders_.items()
        }
        return self._joined(columns, parts)

    def _checked(self, columns):
        """Return the columns of the fit; those that a long table has not are without values."""
        lacking = [name for name in self.encoders_ if name not in columns.values]
        if lacking and not columns.was_long:
            raise ValueError(
                f"the table lacks the column {lacking[0]!r} of the fit: it has {name_first(list(columns.values))}, and "
                f"X has {len(columns.values)} features, but TableEncoder is expecting {self.n_features_in_} features "
                "as input."
            )
        return Columns(columns.labels, dict.fromkeys(lacking, [None] * len(columns)) | columns.values)

    def _joined(self, columns, parts):
        """Put what the columns became side by side, modality by modality."""
        out = np.full((len(columns), len(self._names_out)), np.nan, dtype=np.float32)
        for modality, group in self._groups.items():
            present = {name: _present(columns.values[name]) for name in group}
            rows, blocks = np.logical_or.reduce(list(present.values())), []
            for name in group:
                block = np.tile(self._means[name], (len(columns), 1))
                block[present[name]] = parts[name]
                blocks.append(block)
            blocks += [~present[name][:, None] for name in self._holed[modality]]
            out[rows, self.modality_columns_[modality]] = np.hstack(blocks)[rows]
        return out

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns that `transform` gives.

        Parameters
        ----------
        input_features : array-like of str, default=None
            None, or the names of the columns of the fit.

        Returns
        -------
        ndarray of shape (n_features,), dtype object
            The name of a column, followed by its category, tag or number where it becomes several; ``missing_`` and
            the name where it tells holes.
        """
        check_is_fitted(self, "encoders_")
        check_feature_names_in(self, input_features)
        return self._names_out

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        tags.input_tags.string = tags.input_tags.categorical = tags.input_tags.allow_nan = True
        return tags


def encode_table(table: Any, spec: Any = "auto", **options: Any) -> dict[str, Any]:
    """Turn a table of what is known about entities into modality matrices, as `MultimodalTriples` takes them.

    Parameters
    ----------
    table : data frame, mapping of columns or array of shape (n_rows, n_columns)
        A row for each entity, with its label in the column "entity" or in the index of a pandas data frame; or a long
        one with the columns entity, attribute and value, such as ``MultimodalTriples.attributes``.
    spec : "auto", mapping of str to str or transformer, or TableEncoder, default="auto"
        What columns hold, as for `TableEncoder`, where it is not to be guessed. An encoder that is fitted encodes as it
        was fitted, for rows that come later; the clone of another one is fitted.
    **options
        Other parameters of `TableEncoder`: ``entity`` is the column with the labels where it is not called "entity".

    Returns
    -------
    dict of str to pandas.DataFrame
        For each modality its matrix, indexed by entity label, with named columns. A row of NaN is missing.

    Raises
    ------
    ImportError
        If pandas is missing: ``pip install ".[encoding]"``.
    ValueError
        If a column has values of no kind; the message names it.

    See Also
    --------
    TableEncoder : The fitted object behind this.

    Examples
    --------
    >>> import pandas as pd
    >>> from skotkge import MultimodalTriples
    >>> from skotkge.encoding import encode_table
    >>> table = pd.DataFrame(
    ...     {"area": [83_879, 41_285, None], "eu": [True, False, None], "sea": ["none", "none", "Atlantic"]},
    ...     index=["at", "ch", "is"],
    ... )
    >>> MultimodalTriples([("at", "borders", "ch"), ("is", "trades_with", "at")], encode_table(table))
    MultimodalTriples(2 triples, 3 entities, 2 relations; numbers: 2 columns, 1 row missing; categories: 2 columns)
    """
    encoder = spec if isinstance(spec, TableEncoder) else TableEncoder(spec, **options)
    if encoder is spec and options:
        raise TypeError(f"{', '.join(options)} is given beside an encoder; set it on the encoder.")
    columns = as_columns(table, encoder.entity)
    labels = columns.labels
    _tell_of_labels_elsewhere(table, columns, encoder.entity)
    if hasattr(encoder, "encoders_"):
        matrix = np.asarray(encoder.transform(table))
    else:
        encoder = clone(encoder)
        matrix = np.asarray(encoder.fit_transform(table))
    names, frames = encoder.get_feature_names_out(), {}
    for modality, chosen in encoder.modality_columns_.items():
        frames[modality] = data_frame("pandas", matrix[:, chosen], "encode_table")
        frames[modality].columns, frames[modality].index = names[chosen], labels
    return frames


def _tell_of_labels_elsewhere(table, columns, entity):
    """Warn where row numbers become labels although a column could have these."""
    is_numbered = hasattr(table, "iloc") and type(table.index).__name__ == "RangeIndex" and entity not in table.columns
    if not is_numbered or len(columns) < 2:
        return
    for name, values in columns.values.items():
        if all(isinstance(value, str) for value in values) and len(set(values)) == len(values):
            tell(
                f"the table has no column {entity!r} and no index of labels, so that entities are called by the "
                f"numbers of rows; if {name!r} has their labels, pass entity={name!r} or set it as the index."
            )
            return


def _without_words_for_missing(columns, kinds):
    """Return the columns with holes in place of words that stand for a missing number."""
    holed = {
        name: [None if is_word_for_missing(value) else value for value in values]
        for name, values in columns.values.items()
        if kinds.get(name) in WITH_WORDS_FOR_MISSING
    }
    return replace(columns, values=columns.values | holed)


def _is_empty(column, kind):
    """Tell whether a column has no value, or not a single tag."""
    return all(value is None or (kind == "tags" and not tags_of(value)) for value in column)


def _present(values):
    return np.array([value is not None for value in values], dtype=bool)


def _there(values):
    return [value for value in values if value is not None]


def _named(name, method, values):
    """Call a method of an encoder with the values of a column, and name the column if it fails."""
    try:
        return method(values)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(
            f"the column {name!r} cannot be encoded: {str(error).rstrip('.')}. Say what it holds in spec, or 'drop' it."
        ) from error


def _encoded(name, encoder, values):
    if not values:
        return np.empty((0, len(encoder.suffixes_)))
    return np.asarray(_named(name, encoder.transform, values), dtype=float)


# Saved encoders name the public place of the class.
TableEncoder.__module__ = "skotkge.encoding"
