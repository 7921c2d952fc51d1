"""What the machine has, as far as the system tells: processor, instruction sets, cores, memory."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

# What the targets of the core ask for, in the words of Linux; NEON goes by the name of its architecture.
FEATURES = ("avx2", "fma", "avx_ifma", "avx512f", "avx512dq", "avx512vl", "avx512ifma", "asimd")


def cpu() -> str:
    """The processor's name."""
    return next(_cpuinfo("model name"), "") or platform.processor() or "unknown CPU"


def features() -> list[str] | None:
    """Those of `FEATURES` that this processor has; None where the system does not tell."""
    lines = [*_cpuinfo("flags"), *_cpuinfo("Features")]
    return [name for name in FEATURES if name in lines[0].split()] if lines else None


def _cpuinfo(name: str) -> Any:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    return (line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == name)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory() -> dict[str, int | None]:
    """Bytes of memory: all there is, what is free, and what a control group leaves to this process."""
    lines = {}
    try:
        for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines():
            name, _, amount = line.partition(":")
            lines[name] = 1024 * int(amount.split()[0])
    except (OSError, ValueError, IndexError):
        lines = {}
    total = lines.get("MemTotal")
    if total is None and hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"total": total, "available": lines.get("MemAvailable"), "limit": _limit()}


def _limit() -> int | None:
    try:
        text = Path("/sys/fs/cgroup/memory.max").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
