"""What became of each mutant, kept in a file, so that a run goes on where another stopped."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

SURVIVED, EQUAL, NOTHING_SAID = "survived", "equivalent", "says nothing"


FAILURES = (SURVIVED, NOTHING_SAID)


@dataclass(frozen=True)
class Verdict:
    """What noticed a mutant, or that nothing did, and how long that took."""

    mutant: str
    found: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.found:<12} {self.seconds:5.1f} s  {self.mutant}"


class Record:
    """Verdicts by the state that they were found in (`Mutant.state`); one for another state is as good as none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        known = json.loads(path.read_text()) if path.exists() else {}
        self._verdicts = {state: Verdict(**verdict) for state, verdict in known.items()}

    def get(self, state: str) -> Verdict | None:
        return self._verdicts.get(state)

    def add(self, state: str, verdict: Verdict) -> None:
        """Keep a verdict, on disk at once."""
        self._verdicts[state] = verdict
        self.path.parent.mkdir(parents=True, exist_ok=True)
        waiting = self.path.with_suffix(".new")
        waiting.write_text(as_json(self._verdicts))
        waiting.replace(self.path)


def as_json(verdicts: dict[str, Verdict]) -> str:
    return json.dumps({state: asdict(verdict) for state, verdict in verdicts.items()}, indent=1)


def table(verdicts: list[Verdict]) -> str:
    """Counts by file, and of each the seconds."""
    rows: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        rows.setdefault(verdict.mutant.split(":")[0].split(" ")[0], []).append(verdict)
    lines = [f"{'':<34} {'noticed':>8} {'equivalent':>10} {'survived':>8} {'seconds':>8}"]
    for name, found in [*sorted(rows.items()), ("all", verdicts)]:
        count = Counter(verdict.found for verdict in found)
        noticed = len(found) - sum(count[known] for known in (EQUAL, *FAILURES))
        seconds = sum(verdict.seconds for verdict in found)
        lines.append(
            f"{name:<34} {noticed:>8} {count[EQUAL]:>10} {sum(count[known] for known in FAILURES):>8} {seconds:>8.0f}"
        )
    return "\n".join(lines)
