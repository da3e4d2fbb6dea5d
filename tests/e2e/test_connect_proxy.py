"""--proxy and its variables: SOCKS 5 and HTTP CONNECT, against honest and lying proxies."""

import pytest

from support import proxies
from support.mqbroker import MqBroker
from support.ports import HOST, free_port, wait_until
from support.proxies import Proxy, saying
from support.tools import assert_fails, assert_ok, mqpub, start, unique

LOGIN = ("joe", "p:ss@word")
LOGIN_IN_URL = "joe:p%3Ass%40word@"
SCRIPTS = {"socks5": proxies.socks5, "socks5h": proxies.socks5, "http": proxies.http}


@pytest.fixture(scope="module")
def broker(certs):
    with MqBroker(certs, ("tcp", "tls", "ws"), ["-v"]) as broker:
        yield broker


def publish(broker, *args, host=HOST, **how):
    return mqpub("-h", host, "-p", broker["tcp"].port, "-t", unique(), "-m", "x", "-q", 1, *args, **how)


@pytest.mark.parametrize("scheme", SCRIPTS)
def test_through_each_kind_of_proxy(broker, scheme):
    with Proxy(SCRIPTS[scheme]) as proxy:
        assert_ok(publish(broker, "--proxy", proxy.url(scheme)))
        assert proxy.asked == [(HOST, broker["tcp"].port)]


@pytest.mark.parametrize("scheme", SCRIPTS)
@pytest.mark.parametrize("login, code", ((LOGIN_IN_URL, 0), ("joe:wrong@", 3), ("", 3)))
def test_proxy_credentials(broker, scheme, login, code):
    with Proxy(SCRIPTS[scheme], login=LOGIN) as proxy:
        result = publish(broker, "--proxy", proxy.url(scheme, login))
        if code == 0:
            assert_ok(result)
        else:
            assert_fails(result, 3, f"proxy {HOST}:{proxy.port}", "password")


@pytest.mark.parametrize("scheme, asked", (("socks5h", "broker.test"), ("http", "broker.test"), ("socks5", HOST)))
def test_who_looks_the_name_up(broker, scheme, asked):
    """socks5:// asks for an address, the others leave the name to the proxy."""
    known_here = ["--resolve", f"broker.test:{broker['tcp'].port}:{HOST}"] if scheme == "socks5" else []
    with Proxy(SCRIPTS[scheme], names={"broker.test": HOST}) as proxy:
        assert_ok(publish(broker, "--proxy", proxy.url(scheme), *known_here, host="broker.test"))
        assert proxy.asked[-1] == (asked, broker["tcp"].port)


@pytest.mark.parametrize("transport", ("tls", "ws"))
def test_tls_and_websocket_through_a_proxy(broker, certs, transport):
    trust = ["--cafile", certs.ca] if transport == "tls" else []
    with Proxy(proxies.socks5) as proxy:
        assert_ok(mqpub("-L", broker[transport].url, *trust, "-t", unique(), "-m", "x", "-q", 1,
                        "--proxy", proxy.url("socks5h")))
        assert len(proxy.asked) == 1


def test_socks5_tries_the_next_address_over_a_new_connection(broker):
    port = broker["tcp"].port
    with Proxy(proxies.socks5) as proxy:
        assert_ok(publish(broker, "--proxy", proxy.url("socks5"), "--resolve", f"broker.test:{port}:127.0.0.9,{HOST}",
                          host="broker.test"))
        assert proxy.asked == [("127.0.0.9", port), (HOST, port)]
        assert proxy.connections == 2


def test_a_large_message_through_a_proxy(broker):
    with Proxy(proxies.http) as proxy:
        assert_ok(mqpub(*broker.args(), "-t", unique(), "-s", "-q", 1, "--proxy", proxy.url("http"),
                        stdin=bytes(3_000_000)))


# --- variables ------------------------------------------------------------------------------------

@pytest.mark.parametrize("variables, through", (
    ({"ALL_PROXY": "{url}"}, True),
    ({"all_proxy": "{url}"}, True),
    ({"ALL_PROXY": "{bare}"}, True),
    ({"ALL_PROXY": ""}, False),
    ({"ALL_PROXY": "{url}", "NO_PROXY": "example.org,127.0.0.0/8"}, False),
    ({"ALL_PROXY": "{url}", "no_proxy": "127.0.0.1"}, False),
    ({"ALL_PROXY": "{url}", "NO_PROXY": "*"}, False),
    ({"ALL_PROXY": "{url}", "NO_PROXY": "example.org"}, True)), ids=str)
def test_variables_name_the_proxy_and_who_does_without(broker, variables, through):
    with Proxy(proxies.http) as proxy:
        values = {"url": proxy.url("http"), "bare": f"{HOST}:{proxy.port}"}
        assert_ok(publish(broker, env={k: v.format(**values) for k, v in variables.items()}))
        assert bool(proxy.asked) == through


def test_a_typed_proxy_is_used_whatever_the_variables_say(broker):
    with Proxy(proxies.socks5) as proxy:
        assert_ok(publish(broker, "--proxy", proxy.url("socks5h"),
                          env={"ALL_PROXY": "socks5h://127.0.0.1:1", "NO_PROXY": "*"}))
        assert len(proxy.asked) == 1
        assert_ok(publish(broker, "--proxy", proxy.url("socks5h"), "--no-proxy", HOST))
        assert len(proxy.asked) == 1


def test_a_unix_socket_needs_no_proxy(certs):
    with MqBroker(certs, ("unix",)) as broker:
        assert_ok(mqpub(*broker.args("unix"), "-t", "t", "-m", "x", env={"ALL_PROXY": "socks5h://127.0.0.1:1"}))
        assert_fails(mqpub(*broker.args("unix"), "-t", "t", "-m", "x", "--proxy", "socks5h://127.0.0.1:1"), 2,
                     "--proxy")


# --- failures -------------------------------------------------------------------------------------

@pytest.mark.parametrize("scheme, word", (("socks5", "refused"), ("socks5h", "refused"), ("http", "502")))
def test_what_the_proxy_cannot_reach_is_3_with_its_answer(broker, scheme, word):
    with Proxy(SCRIPTS[scheme]) as proxy:
        result = mqpub("-h", HOST, "-p", free_port(), "-t", "t", "-m", "x", "--proxy", proxy.url(scheme))
        assert_fails(result, 3, f"proxy {HOST}:{proxy.port}", word)


@pytest.mark.parametrize("scheme", SCRIPTS)
def test_an_unreachable_proxy_is_3(broker, scheme):
    port = free_port()
    assert_fails(publish(broker, "--proxy", f"{scheme}://{HOST}:{port}"), 3, f"proxy {HOST}:{port}", "refused")


def test_a_proxy_whose_name_is_unknown_is_3(broker):
    assert_fails(publish(broker, "--proxy", "socks5h://no-such-host.invalid",
                         env={"RES_OPTIONS": "timeout:1 attempts:1"}), 3, "no-such-host.invalid")


LIES = {
    "an HTTP server": ("socks5h", saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "HTTP"),
    "another version": ("socks5h", saying(b"\4\0"), "SOCKS 5"),
    "a method not offered": ("socks5h", saying(b"\5\1"), "not offered"),
    "an unknown type of address": ("socks5h", saying(b"\5\0", b"\5\0\0\7abcdef"), "address"),
    "a reply cut short": ("socks5h", saying(b"\5\0", b"\5\0\0"), "without an answer"),
    "no word": ("socks5h", saying(b""), "without an answer"),
    "an unassigned reply": ("socks5h", saying(b"\5\0", b"\5\x99\0"), "reply 153"),
    "no HTTP": ("http", saying(b"\5\xff"), "does not speak HTTP"),
    "half a head": ("http", saying(b"HTTP/1.1 200 OK\r\nVia: x\r\n"), "without an answer"),
    "no end of a head": ("http", saying(b"HTTP/1.1 200 OK\r\nVia: " + b"x" * 40_000, then="wait"), "too long"),
    "a redirect": ("http", saying(b"HTTP/1.1 302 Found\r\nLocation: x\r\n\r\n"), "302"),
    "escape sequences": ("http", saying(b"HTTP/1.1 500 \xff\xfe\r\n\r\n"), "500"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lying_proxy_is_3_and_named(broker, name):
    scheme, script, word = LIES[name]
    with Proxy(script) as proxy:
        assert_fails(publish(broker, "--proxy", proxy.url(scheme)), 3, f"proxy {HOST}:{proxy.port}", word)


@pytest.mark.parametrize("scheme, answers", (("socks5h", ()), ("socks5h", (b"\5\0",)), ("http", (b"HTTP/1.1 2",))))
def test_a_slow_proxy_is_3_at_the_connect_timeout(broker, scheme, answers):
    with Proxy(saying(*answers, then="wait")) as proxy:
        result = publish(broker, "--proxy", proxy.url(scheme), "--connect-timeout", "500ms")
        assert_fails(result, 3, f"proxy {HOST}:{proxy.port}", "within 500ms")
        assert 0.4 < result.seconds < 3, result


def test_refused_credentials_are_not_retried(broker):
    with Proxy(proxies.socks5, login=LOGIN) as proxy:
        assert_fails(publish(broker, "--proxy", proxy.url("socks5h", "joe:no@"), "--reconnect"), 3)
        assert proxy.connections == 1


def test_a_proxy_that_comes_back_is_found_again(broker):
    """A connection that fails on the way to the proxy is tried again."""
    port = free_port()
    result = publish(broker, "--proxy", f"socks5h://{HOST}:{port}", "--retry-max", 2, "--retry-delay", "10ms..20ms")
    assert result.code == 3 and result.err_text.count("next attempt") == 2, result


@pytest.mark.parametrize("args", (("--proxy", "socks4://h"), ("--proxy", "https://h"), ("--proxy", "socks5h://h:0"),
                                  ("--proxy", ""), ("--proxy", "socks5h://u%z@h")), ids=" ".join)
def test_wrong_values_are_2(broker, args):
    assert_fails(publish(broker, *args), 2, "--proxy")


def test_a_wrong_variable_is_2_and_named(broker):
    assert_fails(publish(broker, env={"ALL_PROXY": "gopher://h"}), 2, "ALL_PROXY")


def test_the_password_of_a_proxy_is_not_in_the_process_list(broker):
    with Proxy(saying(then="wait")) as proxy:
        with start("mqsub", *broker.args(), "-t", "t", "--proxy", proxy.url("socks5h", "joe:sesame@")) as sub:
            wait_until(lambda: proxy.connections, 10, "a connection")
            with open(f"/proc/{sub.pid}/cmdline", "rb") as arguments:
                assert b"sesame" not in arguments.read()
