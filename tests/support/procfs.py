"""What the kernel says of a running process."""

import os
import pathlib


def rss_bytes(pid):
    """Resident memory."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


def cpu_seconds(pid):
    """User and system time of the threads that it has now; to the nanosecond, where /proc/PID/stat counts ticks."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def epoll_watches(pid):
    """By each of its epoll descriptors, the descriptors that it watches."""
    infos = {path.name: path.read_text() for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir()}
    return {fd: {line.split()[1] for line in text.splitlines() if line.startswith("tfd:")}
            for fd, text in infos.items() if "tfd:" in text}


def is_sanitized(pid):
    """Whether its memory says more about a sanitizer than about the program."""
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")
    return "libasan" in maps or "libtsan" in maps
