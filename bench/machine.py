"""The machine a number was measured on: CPU, the clock it really runs at, and the commit."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# A chain in which every instruction waits for the one before it: its length in cycles is known, whatever the frequency
# that the operating system reports. A 64-bit imul has a latency of 3 cycles on every x86-64 core of the last
# ten years, an eor one of 1 on AArch64.
CHAIN = """
#include <stdio.h>
#include <time.h>
#if defined(__x86_64__)
#define STEP "imul %1, %0\\n"
#define CYCLES 3
#elif defined(__aarch64__)
#define STEP "eor %0, %0, %1\\n"
#define CYCLES 1
#endif
int main(void) {
  unsigned long x = 3, y = 5;
  double best = 1e9;
  for (int run = 0; run < 40; ++run) {
    struct timespec start, stop;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < 100000; ++i) __asm__ volatile(STEP STEP STEP STEP STEP STEP STEP STEP : "+r"(x) : "r"(y));
    clock_gettime(CLOCK_MONOTONIC, &stop);
    double seconds = (stop.tv_sec - start.tv_sec) + 1e-9 * (stop.tv_nsec - start.tv_nsec);
    if (seconds < best) best = seconds;
  }
  printf("%.4f", 8e5 * CYCLES / best * 1e-9);
}
"""


@cache
def _clock_program() -> str | None:
    compiler = shutil.which("cc") or shutil.which("c++")
    if compiler is None:
        return None
    program = str(Path(tempfile.mkdtemp(prefix="fhe-clock-")) / "clock")
    command = [compiler, "-O2", "-x", "c", "-", "-o", program]
    built = subprocess.run(command, input=CHAIN, text=True, capture_output=True, check=False)
    return program if built.returncode == 0 else None


def clock_ghz() -> float | None:
    """The clock now, by a dependent chain of known length; None where there is no compiler or the CPU is another."""
    program = _clock_program()
    return float(subprocess.run([program], text=True, capture_output=True, check=True).stdout) if program else None


def cpu_model() -> str:
    """The name the CPU gives itself."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


@cache
def commit() -> str:
    """The commit of the checkout, with ``+`` if files were changed since."""
    described = subprocess.run(
        ["git", "describe", "--always", "--abbrev=8", "--dirty=+", "--exclude=*"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


def slug(text: str) -> str:
    """A name fit for a file."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
