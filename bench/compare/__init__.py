"""This library beside others, in one interleaved run: ``python -m bench.compare``."""
