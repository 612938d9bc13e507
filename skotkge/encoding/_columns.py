"""One encoder for each kind of column: lists of values without holes to matrices."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from .._graph.preparing import LENGTH_OF_ROUNDING
from ._kinds import as_date, as_number, as_text

DAYS_OF_YEAR = 365.25
# A variance below this part of the mean square is that of rounding.
RELATIVE_ZERO = 1e-10


class ColumnEncoder(TransformerMixin, BaseEstimator):
    """Base of encoders of a column: a list of values, none of them a hole, becomes a matrix.

    ``suffixes_`` names the columns made, "" where the name of the column given will do.
    """

    def __sklearn_is_fitted__(self):
        return hasattr(self, "suffixes_")

    def _numbered(self, n_columns):
        digits = len(str(max(0, n_columns - 1)))
        self.suffixes_ = [f"{number:0{digits}}" for number in range(n_columns)]
        return self


class NumberEncoder(ColumnEncoder):
    """Numbers, or the means of several, scaled to mean 0 and variance 1."""

    def fit(self, X, y=None):
        self.scaler_ = StandardScaler().fit(_as_column(X))
        self.suffixes_ = [""]
        return self

    def transform(self, X):
        return self.scaler_.transform(_as_column(X))


class BooleanEncoder(ColumnEncoder):
    """Truth values as 0 and 1."""

    def fit(self, X, y=None):
        self.suffixes_ = [""]
        return self

    def transform(self, X):
        return _as_column(X)


class DateEncoder(ColumnEncoder):
    """Dates as the time that has gone by, scaled, and the position in the year on a circle."""

    def fit(self, X, y=None):
        self.scaler_ = StandardScaler().fit(self._days(X))
        self.suffixes_ = ["time", "year_cos", "year_sin"]
        return self

    def transform(self, X):
        turns = [as_date(value).timetuple().tm_yday for value in X]
        angles = 2 * np.pi * (np.array(turns, dtype=float) - 1) / DAYS_OF_YEAR
        return np.column_stack([self.scaler_.transform(self._days(X)), np.cos(angles), np.sin(angles)])

    def _days(self, values):
        times = map(as_date, values)
        return _as_column([t.toordinal() + (t.hour * 60 + t.minute) / 1440 + t.second / 86400 for t in times])


class CategoryEncoder(ColumnEncoder):
    """Categories as indicators, the rarest of too many together; those never seen are zeros.

    Parameters
    ----------
    max_categories : int, default=40
    """

    def __init__(self, max_categories=40):
        self.max_categories = max_categories

    def fit(self, X, y=None):
        self.encoder_ = OneHotEncoder(
            max_categories=self.max_categories, handle_unknown="ignore", sparse_output=False, dtype=np.float32
        ).fit(_as_words(X))
        self.suffixes_ = [name.removeprefix("x0_") for name in self.encoder_.get_feature_names_out()]
        return self

    def transform(self, X):
        return self.encoder_.transform(_as_words(X))


class VectorEncoder(ColumnEncoder):
    """Lists of equally many numbers, as they are."""

    def fit(self, X, y=None):
        lengths = {len(value) for value in X}
        if len(lengths) != 1:
            raise ValueError(
                f"it has lists of numbers of the lengths {sorted(lengths)[:5]}, and vectors need one common length; "
                "'number' takes the mean of each list, 'tags' its members."
            )
        return self._numbered(lengths.pop())

    def transform(self, X):
        return np.array([np.asarray(value, dtype=float) for value in X])


def keep_true_components(decomposition):
    """Leave out of a fitted `TruncatedSVD` or `PCA` the components beyond the rank of its data, which are rounding.

    They hardly vary among the data. Standardised they would vary as the others do, and what is new would lie a million
    standard deviations away from all data.
    """
    lengths = decomposition.singular_values_
    n_true = max(1, np.count_nonzero(lengths > LENGTH_OF_ROUNDING * lengths[0]))
    for name in ("components_", "singular_values_", "explained_variance_", "explained_variance_ratio_"):
        setattr(decomposition, name, getattr(decomposition, name)[:n_true])


class WordEncoder(ColumnEncoder):
    """Counts of words or letters, reduced by a truncated SVD where they are more than `n_components`.

    Parameters
    ----------
    vectorizer : transformer
        From texts, or lists of tags, to a sparse matrix.
    n_components : int, default=64
    random_state : int, RandomState instance or None, default=None
        Draws the start of the randomised SVD.
    """

    def __init__(self, vectorizer, n_components=64, random_state=None):
        self.vectorizer = vectorizer
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X, y=None):
        counts = self.vectorizer.fit_transform(X)
        kept = min(self.n_components, min(counts.shape) - 1)
        self.svd_ = None
        if counts.shape[1] <= self.n_components and hasattr(self.vectorizer, "get_feature_names_out"):
            self.suffixes_ = list(self.vectorizer.get_feature_names_out())
            return self
        self.svd_ = TruncatedSVD(max(1, kept), random_state=self.random_state)
        # Unit variance of the texts as a whole, so that their scale is that of other columns.
        with np.errstate(invalid="ignore", divide="ignore"):  # shares of no variance at all, where all texts are one
            keep_true_components(self.svd_.fit(counts))
        reduced = self.svd_.transform(counts)
        variance = reduced.var(axis=0).mean()
        self.scale_ = np.sqrt(variance) if variance > RELATIVE_ZERO * np.square(reduced).mean() else 1.0
        return self._numbered(reduced.shape[1])

    def transform(self, X):
        counts = self.vectorizer.transform(X)
        return counts.toarray() if self.svd_ is None else self.svd_.transform(counts) / self.scale_


class ArrayEncoder(ColumnEncoder):
    """Any transformer of scikit-learn's, applied to the values as an array of one column.

    Parameters
    ----------
    transformer : transformer
    """

    def __init__(self, transformer):
        self.transformer = transformer

    def fit(self, X, y=None):
        found = self._as_array(self.transformer.fit_transform(_as_objects(X)))
        return self._numbered(found.shape[1])

    def transform(self, X):
        return self._as_array(self.transformer.transform(_as_objects(X)))

    def _as_array(self, found):
        return found.toarray() if hasattr(found, "toarray") else np.asarray(found, dtype=float)


def text_vectorizer(name):
    """Return what counts the letters of texts: triples and quadruples of them within words."""
    options = dict(analyzer="char_wb", ngram_range=(3, 4), preprocessor=_lowered)
    if name == "tfidf":
        return TfidfVectorizer(**options, sublinear_tf=True, dtype=np.float32)
    hashing = HashingVectorizer(**options, n_features=2**18, norm=None, alternate_sign=False)
    return make_pipeline(hashing, TfidfTransformer())


def tag_vectorizer():
    """Return what counts the tags of lists."""
    return CountVectorizer(analyzer=tags_of, binary=True, dtype=np.float32)


def tags_of(value):
    """Return the tags of a list, or of a single one, as strings."""
    parts = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else value
    return [str(part) for part in parts if part is not None]


def _lowered(value):
    return as_text(value).lower()


def _as_column(values):
    return np.array([as_number(value) for value in values], dtype=float).reshape(-1, 1)


def _as_words(values):
    return _as_objects([str(value) for value in values])


def _as_objects(values):
    out = np.empty((len(values), 1), dtype=object)
    out[:, 0] = values
    return out
