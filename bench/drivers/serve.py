"""The protocol of `driver.hpp` for drivers in Python; also for interpreters older than the project's own."""

import gc
import json
import math
import resource
import sys
import time

SAMPLE_SECONDS = 2e-3
SLOW_SECONDS = 0.1  # from which on caches and warm-ups are no matter


def serve(calls, facts):
    """Answer lines from stdin: one sample of calls[line](), in nanoseconds, or for "facts" a line of JSON.

    A call that fails is answered by a nan.
    """
    gc.disable()
    current, repetitions, before = None, 1, 0
    for line in map(str.strip, sys.stdin):
        if line == "facts":
            print(json.dumps(dict(facts, operations=sorted(calls))), flush=True)
            continue
        call = calls[line]
        if line != current:
            try:
                current, (repetitions, took) = line, warm_up(call)
            except Exception as error:
                print(f"  {facts.get('library')}, {line}, is left out: {error}", file=sys.stderr)
                print("nan 1 1", flush=True)
                continue
            before = 0 if took > SLOW_SECONDS else 1 + repetitions // 4
        for _ in range(before):  # what other processes took of the cache is not its own
            call()
        start = time.perf_counter()
        for _ in range(repetitions):
            call()
        print(f"{(time.perf_counter() - start) / repetitions * 1e9:.1f} 1 1", flush=True)


def warm_up(call):
    """Call it a few times; how many calls make a sample, and what one took."""
    spent, done, repetitions, took = 0.0, 0, 1, 0.0
    while (done < 2 and took < SLOW_SECONDS) or spent < SAMPLE_SECONDS:
        start = time.perf_counter()
        call()
        took = time.perf_counter() - start
        spent, done, repetitions = spent + took, done + 1, max(1, int(SAMPLE_SECONDS / took))
    return repetitions, took


def peak_mebibytes():
    """The most memory that this process had so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def right_bits(found, wanted):
    """-log2 of the largest error; what is wrong is not worth a measurement."""
    error = max(abs(a - b) for a, b in zip(found, wanted))  # noqa: B905 - also for old interpreters
    if not error < 1e-2:
        raise SystemExit(f"a result is off by {error}")
    return round(-math.log2(max(error, 2.0**-60)), 1)
