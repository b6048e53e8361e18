"""What a running notebook has used so far: CPU time and peak memory."""

import re
from pathlib import Path
from typing import NamedTuple

import psutil


class Usage(NamedTuple):
    """CPU time in seconds and peak memory in MB (10⁶ bytes) of one notebook."""

    cpu_s: float
    memory_mb: float


def usage_of(pid):
    """Return the `Usage` of a process and of the children it has waited for.

    Peak memory is read where the system keeps it (Linux, Windows); elsewhere the memory in use
    now stands in for it.
    """
    process = psutil.Process(pid)
    memory = process.memory_info()
    peak = getattr(memory, "peak_wset", memory.rss)
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        peak = 1024 * int(re.search(r"VmHWM:\s*(\d+)", status.read_text())[1])
    return Usage(sum(process.cpu_times()[:4]), peak / 1e6)
