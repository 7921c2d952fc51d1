"""`Audit`: findings that can be read."""

from __future__ import annotations

from pathlib import Path

from fhe.auditing import show
from fhe.auditing.record import Findings


class Audit(Findings):
    """What `fhe.audit` found: `steps`, a record for each operation, and which of them is the worst or wrong.

    ``print(found)`` is a table, `records` go into a data frame, `save` writes a page with a plot, which notebooks show.

    >>> import fhe
    >>> found = fhe.audit(lambda x: x**4 - x, np.linspace(-1, 1, 5), precision=1e-3)
    >>> found
    Audit(<lambda>, 4 steps, error ..., 0 flagged)
    >>> found.worst.operation, found.ok, len(found.records())
    ('np.power', True, 4)
    """

    def __str__(self) -> str:
        return show.text(self)

    def __repr__(self) -> str:
        return f"Audit({self.name}, {len(self.steps)} steps, error {self.error:.2g}, {len(self.flagged)} flagged)"

    def _repr_html_(self) -> str:
        return show.html(self)

    def save(self, path: str | Path) -> None:
        """Write table and plot as one HTML page, which needs nothing else."""
        Path(path).write_text(show.page(self), encoding="utf-8")
