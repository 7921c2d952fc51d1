"""Circuits: algorithms on ciphertexts, for any scheme that offers the operations of `Evaluator`."""
