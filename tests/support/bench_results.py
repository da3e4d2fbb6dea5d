"""Results of mqbench, made up: whatever a run could have measured, without running it."""

import datetime
import random

from . import hdr

MS = 1_000_000


def latencies(seed, seconds, rate, middle=0.8 * MS, spread=0.35, stall=None):
    """[[ns, ...] for each second]; `stall` is (from second, length): what is due meanwhile waits for its end."""
    rolled = random.Random(seed)
    rows = []
    for second in range(seconds):
        row = [int(middle * rolled.lognormvariate(0, spread)) for _ in range(rate)]
        if stall and stall[0] <= second < stall[0] + stall[1]:
            left = (stall[0] + stall[1] - second) * 1000 * MS
            row = [value + int(left * (1 - n / rate) if second + 1 == stall[0] + stall[1] else left - n * 1000 * MS // rate)
                   for n, value in enumerate(row)]
        rows.append(row)
    return rows


def result(seed=1, seconds=30, rate=1000, name="quick", host="bench-1", started="2026-11-21T07:20:07.676123Z", run=4711,
           measured=True, watched=True, stall=None, middle=0.8 * MS, **more):
    """A result object; `more` replaces members of it."""
    rows = latencies(seed, seconds, rate, middle, stall=stall) if measured else []
    flat = [value for row in rows for value in row]
    rolled = random.Random(seed + 1)
    intervals = []
    for second in range(seconds):
        interval = {"t_s": second, "sent": rate, "received": rate + rolled.randrange(-8, 9), "connections": 20,
                    "tool_cpu": round(0.12 + rolled.random() / 20, 4)}
        if stall and stall[0] <= second < stall[0] + stall[1]:
            interval["received"] = 0
        if measured:
            figures = hdr.figures(rows[second])
            interval["latency"] = {key: figures[key] for key in ("count", "p50", "p99", "p99.9", "max", "hdr")}
        if watched:
            interval |= {"broker_cpu": round(0.3 + rolled.random() / 10, 4), "broker_rss_bytes": 9_000_000 + second * 65536,
                         "broker_fds": 28}
        intervals.append(interval)
    total = rate * seconds
    begin = datetime.datetime.fromisoformat(started.replace("Z", "+00:00"))
    ended = (begin + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    phases = {"connect": hdr.figures([rolled.randrange(300_000, 4 * MS) for _ in range(20)]),
              "subscribe": hdr.figures([rolled.randrange(200_000, 2 * MS) for _ in range(10)])}
    messages = {"due_to_received": hdr.figures(flat), "sent_to_received": hdr.figures([value - 90_000 for value in flat]),
                "lag": hdr.figures([rolled.randrange(20_000, 160_000) for _ in flat])} if measured else {}
    span = seconds * 1000 * MS - MS
    return {
        "format": "mqbench/1", "run": run, "started": started, "ended": ended, "interrupted": False, "verdict": "valid",
        "scenario_hash": "5f1d3c0a9b7e2468",
        "scenario": {"name": name, "publishers": 10, "subscribers": 10, "wiring": "pairs", "publish_qos": 0,
                     "subscribe_qos": 0, "size": 100, "loop": "open", "rate": rate, "arrival": "fixed", "burst": 1,
                     "ramp": 1000, "warmup_s": 0, "duration_s": seconds, "drain_s": 10, "seed": 1},
        "counts": {"offered": total, "sent": total, "unsent": 0, "held": 0, "acked": 0, "rejected": 0, "unacked": 0, "expected": total,
                   "received": total, "lost": 0, "duplicated": 0, "reordered": 0, "corrupted": 0, "foreign": 0,
                   "retained": 0, "connections_lost": 0},
        "times_ns": {"first_due": MS, "last_sent": MS + span, "last_received": 2 * MS + span},
        "rates": {"sent_per_second": total / (span / 1e9), "received_per_second": total / ((span + MS) / 1e9)},
        "latency_ns": messages | phases, "intervals": intervals,
        "broker": {"address": "localhost:1883", "peer": "127.0.0.1:1883", "version": "5.0", "receive_maximum": 65535,
                   "maximum_packet_size": 268435460},
        "tool": {"version": "0.1.0", "command_line": "mqbench run quick", "threads": 2, "cpu_s": 0.14 * seconds,
                 "busiest": 0.09, "cpu_s_per_million": 0.14 * seconds / (2 * total) * 1e6},
        "machine": {"host": host, "kernel": "Linux 6.1.0-18-amd64", "cpu": "AMD EPYC 7763", "processors": 2,
                    "clock_source": "tsc"},
        **more}
