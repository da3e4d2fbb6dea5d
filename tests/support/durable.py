"""mqbroker with a database, which may be killed and started again on the same port."""

import pathlib
import re
import signal
import sqlite3

from .brokers import START_SECONDS, Broker, Endpoint
from .directories import new_directory
from .mqbroker import MqBroker
from .ports import HOST, free_port, wait_until
from .proc import Proc
from .tools import mqbroker_words


class DurableBroker(Broker):
    """`options`: words of its command line. `preexec`: called in its process before it starts."""

    name = "mqbroker"
    wait_subscribed = MqBroker.wait_subscribed

    def __init__(self, options=("-v",), database=None, preexec=None):
        super().__init__()
        self._options, self._preexec = list(options), preexec
        self.database = pathlib.Path(database or new_directory("db-") / "mqbroker.db")
        for attempt in range(5):  # another process may take the port between our look and the bind
            self.endpoints = {"tcp": Endpoint("tcp", port=free_port())}
            try:
                return self.start()
            except ChildProcessError:
                if attempt == 4 or b"cannot listen" not in self.proc.err:
                    raise

    @property
    def address(self):
        return HOST, self["tcp"].port

    def start(self):
        argv = ["setpriv", "--pdeathsig", "TERM", *mqbroker_words(), "--listen", f"mqtt://{HOST}:{self['tcp'].port}",
                "--db", self.database, "--print-address", *self._options]
        self.proc = Proc(argv, preexec=self._preexec)
        wait_until(self._listens, START_SECONDS, "mqbroker's address")

    def _listens(self):
        if not self.proc.running:
            self.proc.wait()
            raise ChildProcessError(self.proc.err.decode("utf-8", "replace"))
        return re.search(rb"mqtt://\S+\n", self.proc.out)

    def kill(self):
        """As if the power of the process had been cut."""
        self.proc.kill(signal.SIGKILL)
        self.proc.wait()

    def restart(self):
        self.kill()
        self.start()

    def fill(self, count):
        """Sessions, each with a subscription and a message that waits; of a broker that has run and does not now."""
        rows = {"session": lambda n: (n, f"client-{n}", None, 5, 604800, 0, 4_000_000_000_000, *[None] * 8),
                "subscription": lambda n: (n, f"devices/{n}/commands", 1, 0, 0, 0, None, 0, None),
                "message": lambda n: (n, f"devices/{n}/commands", b"x" * 64, b"", 1, 0, 1, None),
                "delivery": lambda n: (n, n, n, 1, 0, None, None, None, None)}
        with sqlite3.connect(self.database) as database:
            for table, row in rows.items():
                marks = ",".join("?" * len(row(1)))
                database.executemany(f"INSERT INTO {table} VALUES({marks})", map(row, range(1, count + 1)))
        database.close()

    def ask(self, sql, *values):
        """Rows of the database, as a user's shell sees them."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            return database.execute(sql, values).fetchall()

    def change(self, sql, *values):
        """Of a broker that does not run."""
        with sqlite3.connect(self.database) as database:
            database.execute(sql, values)
        database.close()
