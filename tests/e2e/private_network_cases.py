"""SRV records (-S) from a name server of our own. Run by test_connect_reach.py in a network of its own."""

import pytest

from support.mqbroker import MqBroker
from support.name_server import A, SRV, NameServer
from support.own_network import enter_private_network
from support.ports import free_port
from support.tools import assert_fails, assert_ok, mqpub, mqsub

PLAIN, SECURE = ("_mqtt._tcp.home.test", SRV), ("_secure-mqtt._tcp.home.test", SRV)


@pytest.fixture(scope="module")
def names():
    enter_private_network()
    return NameServer({})


@pytest.fixture(scope="module")
def broker(names, certs):
    with MqBroker(certs, ("tcp", "tls"), ["-v"]) as broker:
        yield broker


def publish(*args):
    return mqpub("-S", "-h", "home.test", *args, "-t", "t", "-m", "x", "-q", 1)


def test_the_service_says_host_and_port(names, broker):
    names.zone = {PLAIN: [(10, 0, broker["tcp"].port, "a.home.test")], ("a.home.test", A): ["127.0.0.1"]}
    assert_ok(publish())
    assert_ok(publish("-p", 1))  # the record's counts
    assert_ok(mqsub("-S", "-h", "home.test", "-t", "t", "-E"))
    assert PLAIN in names.asked and SECURE not in names.asked


def test_records_are_tried_by_priority(names, broker):
    names.zone = {PLAIN: [(20, 0, broker["tcp"].port, "b.home.test"), (10, 5, free_port(), "a.home.test")],
                  ("a.home.test", A): ["127.0.0.1"], ("b.home.test", A): ["127.0.0.1"]}
    names.asked.clear()
    assert_ok(publish())
    hosts = [name for name, kind in names.asked if kind == A]
    assert hosts[0] == "a.home.test" and hosts[-1] == "b.home.test"


def test_with_tls_the_certificate_is_of_the_domain(names, broker, certs):
    names.zone = {SECURE: [(1, 1, broker["tls"].port, "a.home.test")], ("a.home.test", A): ["127.0.0.1"]}
    assert_fails(publish("--cafile", certs.ca), 5, "not for home.test")
    assert_ok(publish("--cafile", certs.ca, "--sni", "localhost"))


@pytest.mark.parametrize("records, words", [([], ("_mqtt._tcp.home.test",)), ([(0, 0, 1, "")], ("home.test",)),
                                            ([(1, 1, 1, "gone.home.test")], ("gone.home.test",))],
                         ids=("none", "a dot: not offered", "of an unknown host"))
def test_what_leads_nowhere_is_3(names, records, words):
    names.zone = {PLAIN: records}
    assert_fails(publish(), 3, *words)
