"""mqsub where mosquitto_sub was: which of its options there are, and command lines that both are given."""

import pytest

from support.brokers import Mosquitto
from support.mosquitto_options import ABSENT, options_named_by, options_shown_by
from support.proc import Proc
from support.subscribed import retain
from support.tools import assert_ok, mqpub, start, unique

# mosquitto_sub's options, 2.0 and 2.1 (its manual).
OPTIONS = """
    -A -C -c --disable-clean-session --cafile --capath --cert --ciphers -D --property -d --debug -E -F --help -h --host
    -I --id-prefix -i --id --insecure -k --keepalive --key -L --url --message-rate -N --nodelay -P --pw --pretty -p --port
    --proxy --psk --psk-identity -q --qos --quiet -R --random-filter --remove-retained --retain-as-published
    --retain-handling --retained-only -S -T --filter-out -t --topic --tls-alpn --tls-use-os-certs --tls-version -U
    --unsubscribe -u --username --unix -V --protocol-version -v --verbose -W -w --watch --will-payload --will-qos
    --will-retain --will-topic -x --keyform --tls-engine --tls-engine-kpass-sha1 -o --no-tls --tls-keylog --ws --mptcp""".split()


@pytest.mark.parametrize("option", [option for option in OPTIONS if option not in ABSENT])
def test_an_option_of_mosquitto_sub_is_there(option):
    assert option in options_shown_by("mqsub")


def test_what_is_absent_is_so_on_purpose():
    assert not options_shown_by("mqsub") & set(ABSENT)


def test_mosquittos_own_help_names_nothing_else():
    named = options_named_by("mosquitto_sub")
    assert len(named) > 40 and named <= set(OPTIONS), named - set(OPTIONS)


@pytest.fixture(scope="module")
def broker():
    with Mosquitto() as broker:
        yield broker


# Command lines without -h, -p and -t, which both get.
LINES = [("-C", "3"), ("-v", "-C", "3"), ("-N", "-C", "3"), ("-R", "-C", "2"), ("-T", "+/out", "-C", "3", "-v"),
         ("--retained-only",), ("-q", "1", "-V", "mqttv5", "-C", "3", "-F", "%q %r %l %t"), ("-V", "mqttv311", "-C", "3"),
         ("-V", "5", "--retain-as-published", "-C", "3", "-F", "%r %p"), ("-V", "5", "-x", "30", "-i", "ID", "-C", "1"),
         ("-D", "subscribe", "subscription-identifier", "7", "-V", "5", "-F", "%S %p", "-C", "3"),
         ("-k", "30", "-I", "pre", "-u", "user", "-P", "pw", "-C", "1"),
         ("--will-topic", "will/x", "--will-payload", "p", "--will-qos", "1", "--will-retain", "-C", "1"),
         ("-c", "-i", "ID", "-q", "1", "-E"), ("--quiet", "-C", "1"),
         # Of scripts: health checks, loops of a shell, loggers, logs in colour, JSON by hand, kept sessions.
         ("-C", "1", "-E", "-i", "ID", "-W", "3"), ("-C", "1", "-W", "3", "-i", "ID"), ("-t", "other/+/state", "-v", "-C", "4"),
         ("-v", "-N", "-C", "3"), ("-F", '{"topic":"%t","payload":"%p","qos":%q}', "-C", "3"),
         ("-F", "\\e[32m%t\\e[0m\\t%p\\a", "-C", "3"), ("-F", "%l;%x;%X;%m;%%", "-C", "3", "-q", "1"), ("-F", "", "-C", "2"),
         ("-V", "mqttv311", "-c", "-i", "ID", "-q", "2", "-C", "4"), ("-V", "31", "-q", "1", "-C", "4", "-v"),
         ("-V", "5", "-c", "-i", "ID", "-x", "4294967295", "-q", "1", "-C", "4"), ("-k", "5", "--nodelay", "-A", "127.0.0.1", "-C", "2"),
         ("-D", "connect", "user-property", "by", "cron job", "-V", "5", "-C", "2"),
         ("-T", "+/kept", "-T", "+/out", "-R", "-v", "-C", "3"), ("-U", "nothing", "-C", "2"), ("-M", "20", "-q", "1", "-C", "3"),
         ("--topic", "second", "-C", "3", "--verbose", "--qos", "1")]


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_a_command_line_of_mosquitto_sub_does_the_same(broker, line):
    """One retained message, then live ones; both see all of them."""
    base = unique()
    retain(broker, {f"{base}/kept": "kept"})

    def with_own_id():
        return [unique("id") if word == "ID" else word for word in line]
    with Proc(["mosquitto_sub", *broker["tcp"].mosquitto_args(), "-t", f"{base}/#", *with_own_id()]) as theirs, \
            start("mqsub", *broker.args(), "-t", f"{base}/#", *with_own_id()) as ours:
        broker.wait_subscribed(f"{base}/#", 2)
        for topic, payload in (("out", "left out"), ("in", "one"), ("in", "two"), ("in", "three")):
            assert_ok(mqpub(*broker.args(), "-t", f"{base}/{topic}", "-q", 1, "-m", payload))
        results = ours.wait(10), theirs.wait(10)
    assert results[0].out == results[1].out and [result.code for result in results] == [0, 0], results
