"""Plain functions as private programs: traced, planned, explained, run."""
