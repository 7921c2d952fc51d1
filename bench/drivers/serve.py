"""The protocol of `driver.hpp` for drivers in Python; also for interpreters older than the project's own."""

import gc
import json
import sys
import time

SAMPLE_SECONDS = 2e-3


def serve(calls, facts):
    """Answer lines from stdin: one sample of calls[line](), in nanoseconds, or for "facts" a line of JSON."""
    gc.disable()
    current, repetitions = None, 1
    for line in map(str.strip, sys.stdin):
        if line == "facts":
            print(json.dumps(facts), flush=True)
            continue
        call = calls[line]
        if line != current:
            current, repetitions = line, warm_up(call)
        for _ in range(1 + repetitions // 4):  # what other processes took of the cache is not its own
            call()
        start = time.perf_counter()
        for _ in range(repetitions):
            call()
        print(f"{(time.perf_counter() - start) / repetitions * 1e9:.1f} 1 1", flush=True)


def warm_up(call):
    """Call it a few times; how many calls make a sample."""
    spent, done, repetitions = 0.0, 0, 1
    while done < 2 or spent < SAMPLE_SECONDS:
        start = time.perf_counter()
        call()
        took = time.perf_counter() - start
        spent, done, repetitions = spent + took, done + 1, max(1, int(SAMPLE_SECONDS / took))
    return repetitions
