"""The reference: every operation of the seam in Python integers. It is the definition; others agree bit for bit."""

from fhe.reference.backend import ReferenceBackend
from fhe.reference.schoolbook import schoolbook

__all__ = ["ReferenceBackend", "schoolbook"]
