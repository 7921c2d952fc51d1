"""Programs watched under a throw-away key: what each operation does to precision, and which inputs are the worst."""
