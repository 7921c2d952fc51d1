"""Models in scikit-learn's manner that score plain rows and encrypted ones by the same expression."""

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ImportError('fhe.ml builds on scikit-learn, which is not installed: pip install "fhe[ml]"') from error

from fhe.ml.linear import LinearRegression, LogisticRegression

__all__ = ["LinearRegression", "LogisticRegression"]
