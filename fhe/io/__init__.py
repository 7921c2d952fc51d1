"""Bytes: the container that everything is stored and sent in, and the registry of who reads what."""
