#!/usr/bin/env python3
"""mqpub and mqsub against mosquitto_pub and mosquitto_sub on one mosquitto, in turns in the same run.

Prints for each measure both medians and the ratio ours/theirs, pair by pair; CPU is user + system
time of the process, as the kernel accounts it. Exits 1 if a program failed or did not do its work."""

import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.brokers import Mosquitto  # noqa: E402
from support.ports import wait_until  # noqa: E402

LIMIT_SECONDS = 600  # no single run may take longer
LINE_BYTES = 17  # sixteen digits and the line's end
SUBSCRIBED = r" \d bench\n"  # in the broker's log


class Run:
    """A program with its CPU time and wall time."""

    def __init__(self, argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL):
        self.argv = argv
        self.start = time.monotonic()
        self.process = subprocess.Popen(argv, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)

    def finish(self):
        _, status, usage = os.wait4(self.process.pid, 0)
        self.wall = time.monotonic() - self.start
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime
        errors = self.process.stderr.read().decode("utf-8", "replace")
        self.process.stderr.close()
        if self.process.returncode != 0:
            sys.exit(f"{' '.join(self.argv)}: exit {self.process.returncode}: {errors}")
        return self

    def watch_memory(self):
        """Peak resident memory until it ends. (ru_maxrss would be that of this process, which it was forked from.)"""
        self.peak_mb = 0.0
        while os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
            if found := re.search(r"VmHWM:\s+(\d+) kB", status):
                self.peak_mb = int(found[1]) / 1024
            time.sleep(0.005)


def report(name, ours, theirs, unit, scale=1.0):
    ratios = sorted(a / b for a, b in zip(ours, theirs))
    print(f"{name:34} ours {statistics.median(ours) * scale:9.3f} {unit}  theirs {statistics.median(theirs) * scale:9.3f} {unit}"
          f"  ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} .. {ratios[-1]:.2f})", flush=True)


class Bench:
    def __init__(self, args):
        self.args = args
        self.dir = tempfile.TemporaryDirectory(prefix="mq-bench-")
        self.lines = pathlib.Path(self.dir.name) / "lines"
        self.write_lines(self.lines, args.lines)
        # A queue without bounds: what is measured is the clients, and nothing may be dropped.
        self.broker = Mosquitto(options=["max_queued_messages 0", "max_queued_bytes 0",
                                         "log_type none", "log_type information", "log_type subscribe"])
        self.port = str(self.broker["tcp"].port)

    @staticmethod
    def write_lines(path, count):
        with open(path, "w", encoding="ascii") as out:
            for i in range(count):
                out.write(f"{i:016d}\n")

    def tool(self, name):
        ours = {"pub": "mqpub", "sub": "mqsub"}
        return str(self.args.bin / ours[name[2:]]) if name.startswith("mq") else f"mosquitto_{name[2:]}"

    def publish(self, who, qos):
        with open(self.lines, "rb") as stdin:
            return Run(self.publish_argv(who, qos), stdin).finish()

    def publish_argv(self, who, qos, form=("-l",)):
        return [self.tool(who + "pub"), "-h", "127.0.0.1", "-p", self.port, "-t", "bench", "-q", str(qos), *form]

    def publish_counted(self, who, qos):
        """All lines, and a subscriber that counts what arrives.

        At the end of its input mosquitto_pub 2.0 disconnects with exit code 0, whatever is still queued:
        of 200,000 lines from a file at QoS 1, about 3,400 arrived. So its input, and for the same
        conditions ours, stays open until all lines have arrived; the subscriber ends only then."""
        counter = self.start_subscriber("mq", 0, self.args.lines)
        publisher = Run(self.publish_argv(who, qos), subprocess.PIPE)
        with open(self.lines, "rb") as lines:
            shutil.copyfileobj(lines, publisher.process.stdin, 64 * 1024)
        publisher.process.stdin.flush()
        self.finish_subscriber(counter)
        publisher.process.stdin.close()
        return publisher.finish()

    def start_subscriber(self, who, qos, count, options=()):
        """A subscriber of `count` messages; it is subscribed when this returns."""
        argv = [self.tool(who + "sub"), "-h", "127.0.0.1", "-p", self.port, "-i", f"bench-{who}-{time.monotonic_ns()}",
                "-t", "bench", "-q", str(qos), "-C", str(count), "-W", str(LIMIT_SECONDS), *options]
        before = self.broker.log_count(SUBSCRIBED)
        out = tempfile.TemporaryFile()
        subscriber = Run(argv, stdout=out)
        subscriber.out, subscriber.expected = out, count * LINE_BYTES
        wait_until(lambda: self.broker.log_count(SUBSCRIBED) > before, 10, "subscription")
        return subscriber

    @staticmethod
    def finish_subscriber(subscriber):
        subscriber.finish()
        written = subscriber.out.seek(0, os.SEEK_END)
        subscriber.out.close()
        if written != subscriber.expected:
            sys.exit(f"{subscriber.argv[0]} wrote {written} bytes, not {subscriber.expected}")
        return subscriber

    def subscribe(self, who, qos, count):
        """One subscriber of `count` messages that mqpub sends."""
        subscriber = self.start_subscriber(who, qos, count)
        self.publish("mq", qos)
        return self.finish_subscriber(subscriber)

    def pairs(self, measure):
        """The two sides in turns, so that both meet the machine in the same state."""
        ours, theirs = [], []
        for _ in range(self.args.runs):
            ours.append(measure("mq"))
            theirs.append(measure("mo"))
        return ours, theirs

    def cpu(self, name, measure):
        ours, theirs = self.pairs(measure)
        report(name, [r.cpu for r in ours], [r.cpu for r in theirs], "s CPU")

    def one_shot(self):
        def shot(who):
            argv = [self.tool(who + "pub"), "-h", "127.0.0.1", "-p", self.port, "-t", "bench", "-m", "hello"]
            return Run(argv).finish().wall
        ours, theirs = [], []
        for _ in range(self.args.shots):
            ours.append(shot("mq"))
            theirs.append(shot("mo"))
        report(f"one-shot -m, {self.args.shots} runs", ours, theirs, "ms", 1000)

    def memory(self):
        """Whatever is streamed, of whatever size: a tool holds a bounded part of it."""
        count, spool = self.args.stream, pathlib.Path(self.dir.name) / "spool"
        line, big, huge = b"%016d\n", b"%0100000d\n", b"%01000000d\n"
        for what, pattern, lines, qos, options in (
                ("lines", line, count, 0, []), ("lines", line, count // 5, 1, []), ("lines", line, count // 10, 2, []),
                ("JSON", b'{"topic":"bench","payload":"%d"}\n', count // 10, 2, ["--json"]),
                ("spooled", line, count // 10, 2, ["--spool", str(spool)]),
                ("of 100 kB", big, count // 10_000, 1, []), ("of 1 MB", huge, count // 50_000, 2, [])):
            stream = pathlib.Path(self.dir.name) / "stream"
            with open(stream, "wb") as out:
                out.writelines(pattern % number for number in range(lines))
            peaks = self.stream_memory(stream, qos, lines, options)
            print(f"peak memory, {f'{lines} {what}, QoS {qos}':30} mqpub {peaks[0]:5.1f} MB  mqsub {peaks[1]:5.1f} MB", flush=True)

    def stream_memory(self, stream, qos, count, options):
        subscriber = self.start_subscriber("mq", qos, count, ["--json"] if "--json" in options else [])
        with open(stream, "rb") as stdin:
            form = [] if "--json" in options else ["-l"]
            publisher = Run(self.publish_argv("mq", qos, form) + options, stdin)
        watchers = [threading.Thread(target=run.watch_memory) for run in (publisher, subscriber)]
        for step in (threading.Thread.start, threading.Thread.join):
            for watcher in watchers:
                step(watcher)
        subscriber.out.close()
        return [run.finish().peak_mb for run in (publisher, subscriber)]

    def run(self):
        lines = self.args.lines
        for qos in (0, 1):
            self.cpu(f"publish {lines} lines, QoS {qos}", lambda who, qos=qos: self.publish_counted(who, qos))
        for qos in (0, 1):
            self.cpu(f"receive {lines} lines, QoS {qos}", lambda who, qos=qos: self.subscribe(who, qos, lines))
        self.one_shot()
        self.memory()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--shots", type=int, default=200)
    parser.add_argument("--stream", type=int, default=10_000_000)
    bench = Bench(parser.parse_args())
    try:
        bench.run()
    finally:
        bench.broker.stop()
        bench.dir.cleanup()


if __name__ == "__main__":
    main()
