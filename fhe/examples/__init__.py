"""Small programs that do something worth doing. Each has a `main`; run one with ``python -m fhe.examples.<name>``."""
