"""Make one slip at a time, and see that a test notices.

    python -m tests.mutations.mutate            all mutants, minutes
    python -m tests.mutations.mutate convert    those whose file or text contains "convert"
    python -m tests.mutations.mutate --again    also those whose verdict is known
    python -m tests.mutations.mutate --json     the verdicts as JSON instead of a table

Each mutant of `mutants.py` is one replacement in a copy of the project (never the checkout). What depends on it is
compiled and linked again, and the narrowest tests that should notice are run. Verdicts are kept in
``build/mutations.json``: a run that is interrupted goes on where it stopped, and a later one tries what is new or whose
file or tests have changed. Exit status 1 if a mutant survives or says nothing.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.codebase import ROOT
from tests.mutations.mutant import Mutant
from tests.mutations.mutants import EQUIVALENT, MUTANTS
from tests.mutations.record import EQUAL, FAILURES, NOTHING_SAID, SURVIVED, Record, Verdict, as_json, table
from tests.mutations.workshop import MutantError, Workshop

RECORD = ROOT / "build/mutations.json"


def verdicts(mutants: list[Mutant], record: Record, *, again: bool = False) -> Iterator[tuple[Mutant, Verdict]]:
    """Each mutant with what became of it, the known ones first."""
    unknown = [mutant for mutant in mutants if again or record.get(mutant.state(ROOT)) is None]
    for mutant in mutants:
        if mutant not in unknown and (known := record.get(mutant.state(ROOT))) is not None:
            yield mutant, known
    if not unknown:
        return
    with tempfile.TemporaryDirectory(prefix="fhe-mutants-") as folder:
        workshop = Workshop(Path(folder))
        for mutant in unknown:
            try:
                verdict = judge(workshop, mutant)
            except MutantError as error:
                yield mutant, Verdict(f"{mutant}: {error}"[:2000], NOTHING_SAID, 0.0)
                continue
            record.add(mutant.state(workshop.root), verdict)
            yield mutant, verdict


def judge(workshop: Workshop, mutant: Mutant) -> Verdict:
    """Make the mutant, and see who notices."""
    workshop.check_without(mutant)
    start = time.perf_counter()
    killer = workshop.killer(mutant)
    if killer and mutant in EQUIVALENT:
        raise MutantError(f"not equivalent, though: {EQUIVALENT[mutant]}")
    found = killer or (EQUAL if mutant in EQUIVALENT else SURVIVED)
    return Verdict(str(mutant), found, round(time.perf_counter() - start, 1))


def main(arguments: list[str]) -> int:
    asked = parsed(arguments)
    chosen = [mutant for mutant in MUTANTS if all(word in str(mutant) for word in asked.words)]
    stale = [mutant for mutant in chosen if not mutant.fits(ROOT)]
    for mutant in stale:
        print(f"no such line, or not once: {mutant}", file=sys.stderr)
    fitting = [mutant for mutant in chosen if mutant not in stale]
    runnable = [mutant for mutant in fitting if mutant.runs_here()]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped; the next run goes on from here"))
    found = {}
    for mutant, verdict in verdicts(runnable, Record(asked.record), again=asked.again):
        print(verdict, file=sys.stderr, flush=True)
        found[mutant.state(ROOT)] = verdict
    print(as_json(found) if asked.json else table(list(found.values())))
    if skipped := len(fitting) - len(runnable):
        print(f"{skipped} need instructions that this CPU lacks and were not tried", file=sys.stderr)
    return 1 if stale or any(verdict.found in FAILURES for verdict in found.values()) else 0


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations.mutate", description=__doc__.split("\n")[0])
    parser.add_argument("words", nargs="*", help="only mutants whose file or text contains all of these")
    parser.add_argument("--again", action="store_true", help="try also those whose verdict is known")
    parser.add_argument("--json", action="store_true", help="the verdicts as JSON instead of a table")
    parser.add_argument("--record", type=Path, default=RECORD, help="where verdicts are kept (%(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
