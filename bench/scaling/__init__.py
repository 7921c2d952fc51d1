"""How cost grows, beside what the model of `fhe.costs` says: ``python -m bench.scaling``."""
