"""mq-json(5) and mq-url(7) say what is so: every key of the schemas stands in the page with its type and the other way
round, the events that programs write have the keys that are named, and the addresses mean what is said of them."""

import json
import pathlib
import re

import jsonschema
import pytest

from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.mqtt_wire import string
from support.ports import HOST
from support.tools import assert_fails, assert_ok, json_lines, mqbench, mqpub, mqsub

ROOT = pathlib.Path(__file__).parents[2]


def page(name):
    return (ROOT / "man" / name).read_text(encoding="utf-8")


def section(text, head):
    """What stands below a .Sh or .Ss, to the next one of its kind or a higher one."""
    kind = re.search(rf"^\.(S[hs]) {re.escape(head)}", text, re.M)
    rest = text[kind.end():]
    end = re.search(r"^\.Sh " if kind[1] == "Sh" else r"^\.S[hs] ", rest, re.M)
    return rest[:end.start()] if end else rest


def keys(text):
    """{key: type} of `.It Li key Pq type`."""
    return dict(re.findall(r"^\.It Li (\w+) Pq (.+)$", text, re.M))


def assert_described(told, members):
    """The page has each key of a schema and no other, with its type where the schema says it simply."""
    assert set(told) == set(members), set(told) ^ set(members)
    for key, schema in members.items():
        is_type = schema.get("type")
        assert is_type is None or told[key] == is_type, (key, told[key], is_type)


def test_every_key_of_a_message_is_described():
    schema = json.loads((ROOT / "tools/common/mq-message.schema.json").read_text(encoding="utf-8"))
    text = page("mq-json.5")
    messages, properties = section(text, "MESSAGES").split(".Ss Properties of messages")
    assert_described(keys(messages), schema["properties"])
    assert_described(keys(properties), schema["$defs"]["properties"]["properties"])


def test_the_message_of_the_examples_is_one():
    schema = json.loads((ROOT / "tools/common/mq-message.schema.json").read_text(encoding="utf-8"))
    shown = section(page("mq-json.5"), "EXAMPLES").split(".Bd -literal\n")[1].split(".Ed")[0]
    message = json.loads(shown.replace("\\e", "\\"))
    jsonschema.validators.validator_for(schema)(schema).validate(message)
    assert message["len"] == len(message["payload"])


def test_every_key_of_a_record_is_described():
    schema = json.loads((ROOT / "tools/mqspy/mqspy-record.schema.json").read_text(encoding="utf-8"))
    text = section(page("mq-json.5"), "PACKETS")
    every = keys(section(text, "All records"))
    told = {kind: keys(section(text, kind)) for kind in re.findall(r"^\.Ss (\w+):", text, re.M)}
    kinds = {branch["properties"]["k"]["const"]: branch["properties"] for branch in schema["oneOf"]}
    assert set(told) == set(kinds) == set(schema["properties"]["k"]["enum"])
    why = text.split(".It Li why Pq string\n")[1].split(".It Li ")[0]
    assert set(re.findall(r"[a-z]+(?:-[a-z]+)*", re.sub(r"^\.Cm|^or$", "", why, flags=re.M))) == set(schema["definitions"]["why"]["enum"])
    for kind, members in kinds.items():
        assert_described(told[kind], {key: each for key, each in members.items() if key not in every})


def test_events_have_the_keys_that_are_described():
    text = section(page("mq-json.5"), "EVENTS")
    known = keys(text)
    names = set(re.findall(r"^\.It Cm (\w+)$", text, re.M))
    with MqBroker() as broker:
        where = ["-h", HOST, "-p", broker["tcp"].port, "-t", "t"]
        done = mqsub(*where, "--json", "--events", "-E", "--log-format", "json")
        told = json_lines(done.out) + json_lines(done.err)
        told += json_lines(mqpub(*where, "-m", "x", "--summary", "json", "--log-format", "json").err)
    lost = json_lines(mqsub(*where, "--retry-max", "1", "--retry-delay", "1ms", "--log-format", "json").err)
    assert {each.get("event") for each in told + lost} >= names
    for each in told + lost:
        assert set(each) <= set(known), each
    subscriptions = next(each["subscriptions"] for each in told if "subscriptions" in each)
    assert subscriptions == [{"filter": "t", "code": 0}]


def test_what_is_asked_of_a_result_is_there():
    paths = re.findall(r"\.[\w.]+", " ".join(re.findall(r"^\.It Li (.+)$", section(page("mq-json.5"), "RESULTS"), re.M)))
    done = mqbench("run", "--self", "--rate", "1000/s", "-q", "1", "--count", "100", "--threshold", "lost==0", "--quiet",
                   "--json", "-")
    result = json.loads(done.out)
    assert len(paths) == 9
    for path in set(paths) - {".reason"}:  # of a verdict that is not valid
        value = result
        for name in path[1:].split("."):
            assert name in value, path
            value = value[name]


def url_examples():
    return re.findall(r"^\.It Li (\S+)\n(.+)", section(page("mq-url.7"), "EXAMPLES"), re.M)


@pytest.mark.parametrize("url, words", url_examples())
def test_an_address_means_what_is_said(url, words):
    """The example's server is this machine where host and port are those of the page: else its name is not found (3)."""
    default = dict(re.findall(r"^\.It (\w+) Ta (\d+)", page("mq-url.7"), re.M)).get(url.split(":")[0])
    port = re.search(r"port (\d+)", words, re.I)
    place = f"broker.example:{port[1] if port else default or 1}:127.77.77.77"
    topic = [] if words.startswith("Topic ") else ["-t", "t"]
    assert mqpub("-L", url, "-m", "x", *topic, "--resolve", place, "--connect-timeout", "5s").code not in (2, 3)
    assert assert_ok(mqpub("-L", url, "-m", "x", *topic, "--show-config")).out.count(b"p@ss") == 0


def test_user_and_password_of_an_address():
    example = next(url for url, words in url_examples() if "password" in words)
    with FaultServer(lambda connection: connection.accept()) as server:
        mqpub("-L", example.replace("mqtts", "mqtt").replace("broker.example", f"{HOST}:{server.port}"), "-t", "t", "-m", "x")
        assert server.connections[0].received[0].body.endswith(string("joe") + string("p@ss"))


def test_the_default_ports_are_those_of_the_page():
    rows = re.findall(r"^\.It (\w+) Ta (\d*)", page("mq-url.7"), re.M)
    assert dict(rows) == {"mqtt": "1883", "mqtts": "8883", "ws": "80", "wss": "443", "unix": ""}


def test_parts_are_decoded():
    with MqBroker() as broker:
        port = broker["tcp"].port
        sub = mqsub("-L", f"mqtt://{HOST}:{port}/a%2Fb", "--retained", "-v")
        assert_ok(sub)
        assert_ok(mqpub("-L", f"mqtt://{HOST}:{port}/a%2Fb", "-r", "-m", "x"))
        assert assert_ok(mqsub("-L", f"MQTT://{HOST}:{port}/a/+", "--retained", "-v")).out == b"a/b x\n"
        env = {"MQTT_URL": f"mqtt://{HOST}:{port}/a/b"}
        assert assert_ok(mqsub("--retained", env=env)).out == b"x\n"


@pytest.mark.parametrize("url", ["broker.example", "http://broker.example", "mqtt://", "mqtt://a:0", "mqtt://::1",
                                 "mqtt://u:secret%@a", "ws://a/b c", "unix://run"])
def test_what_is_no_address_is_2_and_the_password_is_not_said(url):
    done = assert_fails(mqpub("-L", url, "-t", "t", "-m", "x"), 2)
    assert "secret" not in done.err_text
