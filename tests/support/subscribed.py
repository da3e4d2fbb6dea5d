"""A running mqsub that has subscribed, and what a broker is left with."""

from .tools import assert_ok, mqpub, start, unique


class Subscribed:
    """A running mqsub on a topic of its own; `topic=None` for one that is made up. `waits`: the filter to wait for."""

    def __init__(self, broker, *args, topic=None, waits=None, **how):
        self.topic = topic or unique("s")
        own = () if "--sub" in args else ("-t", self.topic)
        self.proc = start("mqsub", *broker.args(), *own, *args, **how)
        try:
            broker.wait_subscribed(waits or self.topic)
        except TimeoutError:
            self.proc.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proc.stop()

    def output(self):
        """Its whole stdout, after a good end."""
        return assert_ok(self.proc.wait()).out


def retain(broker, messages):
    """Leaves retained messages: {topic: payload}."""
    for topic, payload in messages.items():
        assert_ok(mqpub(*broker.args(), "-t", topic, "-m", payload, "-r", "-q", 1))
