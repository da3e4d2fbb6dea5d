"""What mqspy writes: records that fit their schema, captures that tshark opens, diagrams, statistics, explanations."""

import base64
import json
import pathlib
import shutil
import struct
import subprocess

import jsonschema
import pytest

from support.captures import Talk, merged, pcap
from support.mqtt_wire import auth, connack, disconnect, packet, publish, string, suback, varint
from support.talks import CONNACK, CONNECT, PUBACK, PUBLISH, broken, connect, talk
from support.tools import assert_fails, assert_ok, mqspy

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] / "tools/mqspy/mqspy-record.schema.json").read_text())


@pytest.fixture(scope="module")
def tshark():
    path = shutil.which("tshark")
    if not path:
        pytest.skip("tshark is not installed")

    def run(file, *fields):
        """The fields of every packet, those of one packet that stand several times as a list."""
        result = subprocess.run([path, "-r", file, "-T", "fields", "-E", "separator=\x1c", "-E", "aggregator=\x1d", "-E", "occurrence=a",
                                 *(word for field in fields for word in ("-e", field))], capture_output=True, timeout=60, check=True)
        return [[cell.split("\x1d") if cell else [] for cell in line.split("\x1c")] for line in result.stdout.decode().split("\n")[:-1]]
    return run


def read(tmp_path, data, *options, command="read"):
    (tmp_path / "c").write_bytes(data)
    return mqspy(command, tmp_path / "c", *options)


def props(body):
    return varint(len(body)) + body


USER = b"\x26" + string("key") + string("value")


def everything():
    """Every packet type, and every property in a place where it may stand."""
    will = (b"\x18" + struct.pack(">I", 5) + b"\x01\x01" + b"\x02" + struct.pack(">I", 60) + b"\x03" + string("text/plain") +
            b"\x08" + string("r/t") + b"\x09" + string(b"\x01\xff") + USER)
    own = (b"\x11" + struct.pack(">I", 3600) + b"\x21\x00\x14" + b"\x27" + struct.pack(">I", 65536) + b"\x22\x00\x0a" + b"\x19\x01" + b"\x17\x01" + USER +
           b"\x15" + string("M") + b"\x16" + string(b"one"))
    hello = packet(1, string("MQTT") + bytes([5, 0xEE]) + struct.pack(">H", 60) + props(own) + string("plc3") + props(will) + string("w/t") + string("gone") +
                   string("user") + string("s3cret"))
    answer = packet(2, b"\x00\x00" + props(
        b"\x11" + struct.pack(">I", 100) + b"\x21\x00\x0a" + b"\x24\x01" + b"\x25\x01" + b"\x27" + struct.pack(">I", 70000) + b"\x12" + string("given") +
        b"\x22\x00\x05" + b"\x1f" + string("because") + USER + b"\x28\x01\x29\x01\x2a\x01" + b"\x13\x00\x1e" + b"\x1a" + string("resp") + b"\x1c" +
        string("other:1883") + b"\x15" + string("M") + b"\x16" + string(b"two")))
    message = packet(3, string("a/b") + struct.pack(">H", 7) + props(
        b"\x01\x01" + b"\x02" + struct.pack(">I", 60) + b"\x23\x00\x01" + b"\x08" + string("r") + b"\x09" + string("c\x01") + USER + b"\x03" + string("t")) + b"text", flags=2)
    exact = packet(3, string("a/c") + struct.pack(">H", 9) + props(b"") + b"x", flags=4 | 1)
    down = packet(3, string("a/b") + props(b"\x0b\x03") + b"down")

    def ack(kind, number, flags=0):
        return packet(kind, struct.pack(">HB", number, 0) + props(b"\x1f" + string("fine") + USER), flags)
    subscribe = packet(8, struct.pack(">H", 11) + props(b"\x0b\x03" + USER) + string("a/#") + b"\x2d" + string("b/+") + b"\x01", flags=2)
    unsubscribe = packet(10, struct.pack(">H", 12) + props(USER) + string("a/#"), flags=2)
    t = Talk().open().client(hello).server(auth(0x18, "M", b"q")).client(auth(0x18, "M", b"a")).server(answer)
    t.client(subscribe).server(suback(11, 5, [1, 1])).client(message).server(ack(4, 7)).client(exact).server(ack(5, 9)).client(ack(6, 9, 2)).server(ack(7, 9))
    t.server(down).client(packet(12)).server(packet(13)).client(unsubscribe).server(packet(11, struct.pack(">H", 12) + props(USER) + b"\x00"))
    return t.client(disconnect(0x04, {0x11: 5, 0x1F: "bye"})).close()


def records(result):
    found = []
    for line in result.out.decode().splitlines():
        pairs = []
        found.append(json.loads(line, object_pairs_hook=lambda items: pairs.append(items) or dict(items)))
        assert all(len(dict(items)) == len(items) for items in pairs), f"a key stands twice: {line}"
    return found


def test_every_record_fits_the_schema(tmp_path):
    validator = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)
    validator.check_schema(SCHEMA)
    lost = Talk(client=("10.0.0.9", 1)).open().client(CONNECT).server(CONNACK).client(PUBLISH, keep=False).client(publish("a"), publish("b")).server(PUBACK).client(publish("c"))
    tls = Talk(client=("10.0.0.10", 1)).open().client(b"\x16\x03\x01" + bytes(90)).close()
    data = pcap(merged(everything(), lost, tls, Talk(client=("10.0.0.11", 1)).open().client(connect(version=4)).server(connack(4, 5)).close(1)))
    kinds = set()
    for options in ((), ("--raw",), ("--raw", "--show-secrets"), ("--stats",)):
        for record in records(read(tmp_path, data, "--json", *options)) + records(read(tmp_path, pcap(broken().packets), "--json", *options)):
            validator.validate(record)
            kinds.add(record["k"])
    assert kinds == {"open", "pkt", "lint", "close", "gap", "note", "stat"}
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"k": "pkt"})


BYTES = "#/definitions/bytes"


def schema_paths(schema, path):
    """What a record may hold, as selectors name it."""
    if schema.get("$ref") == BYTES:
        yield from (path + ".len", path + ".data")
    elif "$ref" in schema:
        yield from schema_paths(SCHEMA["definitions"][schema["$ref"].split("/")[-1]], path)
    elif "properties" in schema:
        for name, inner in schema["properties"].items():
            yield from schema_paths(inner, f"{path}.{name}" if path else name)
    elif schema.get("items", {}).get("type") == "object":
        yield from schema_paths(schema["items"], path)
    else:
        yield path


def test_every_path_of_a_record_is_a_name_of_selectors(tmp_path):
    kinds = {kind["properties"]["k"]["const"]: kind for kind in SCHEMA["oneOf"]}
    paths = {path for name, kind in kinds.items() if name not in ("stat", "diff") for path in schema_paths(kind, "")}  # which no selector sees
    assert {"filters.no_local", "rule", "action", "answers", "original.len", "will.props.correlation_data.data"} <= paths
    assert_ok(read(tmp_path, pcap(everything().packets), "--filter", " || ".join(f"has({path})" for path in sorted(paths))))


def selectors_of(record, path=""):
    """Selectors that a record fulfils, one for each of its values."""
    if isinstance(record, bool):
        yield path
    elif isinstance(record, (int, float)):
        yield f"{path}=={record}"
    elif isinstance(record, str):
        text = record.replace("\\", "\\\\").replace('"', '\\"')
        yield f'{path}=="{text}"'
    elif isinstance(record, list):
        for item in record:
            key_value = isinstance(item, list)
            yield from selectors_of(item[1] if key_value else item, f"{path}.{item[0]}" if key_value else path)
    elif "enc" in record:
        yield f"{path}.len=={record['len']}"
        if record["enc"] == "utf8":
            yield from selectors_of(record["data"], path + ".data")
    else:
        for name, item in record.items():
            yield from selectors_of(item, f"{path}.{name}" if path else name)


def test_what_records_say_is_what_selectors_find(tmp_path):
    gap = Talk(client=("10.0.0.9", 1)).open().client(CONNECT).server(CONNACK).client(PUBLISH, keep=False).client(publish("a"), publish("b")).server(PUBACK)
    data = pcap(merged(everything(), gap))
    wanted = set()
    for record in records(read(tmp_path, data, "--json", "--raw", "--show-secrets")):
        kind = record.pop("k")
        if kind == "lint":
            record["lint"] = record.pop("id")  # "id" is a packet's
        place = f"conn=={record['conn']}" + (f" && n=={record['n']}" if "n" in record else "" if kind == "lint" else f" && k=={kind}")
        wanted |= {f"{place} && {test}" for test in selectors_of(record)}
    assert len(wanted) > 200
    assert_ok(read(tmp_path, data, *(word for selector in sorted(wanted) for word in ("--expect", selector))))


def test_every_packet_and_property_is_in_the_records(tmp_path):
    found = [record for record in records(read(tmp_path, pcap(everything().packets), "--json")) if record["k"] == "pkt"]
    assert not any(record.get("broken") for record in found), found
    assert {record["type"] for record in found} == set(SCHEMA["definitions"]["packet_type"]["enum"]) - {"RESERVED"}
    seen = {name for record in found for source in (record, record.get("will", {})) for name in source.get("props", {})}
    assert seen == set(SCHEMA["definitions"]["props"]["properties"])
    assert found[0]["password"] == {"len": 6, "enc": "redacted"}
    assert found[0]["props"]["authentication_data"] == {"len": 3, "enc": "redacted"}
    assert found[0]["will"]["props"]["correlation_data"] == {"len": 2, "enc": "b64", "data": "Af8="}


# --- beside tshark ------------------------------------------------------------------------------------------

# tshark's field, and how ours says the same.
SAME = {
    "mqtt.msgtype": lambda r: [str(TYPES.index(r["type"]))],
    "mqtt.msgid": lambda r: [str(r["id"])] if "id" in r else [],
    "mqtt.topic": lambda r: [r["topic"]] if r["type"] == "PUBLISH" else [f["filter"] for f in r.get("filters", [])],
    "mqtt.clientid": lambda r: [r["client_id"]] if "client_id" in r else [],
    "mqtt.username": lambda r: [r["user_name"]] if "user_name" in r else [],
    "mqtt.kalive": lambda r: [str(r["keep_alive"])] if "keep_alive" in r else [],
    "mqtt.willtopic": lambda r: [r["will"]["topic"]] if "will" in r else [],
    "mqtt.subscription_options_qos": lambda r: [str(f.get("qos", 0)) for f in r.get("filters", []) if r["type"] == "SUBSCRIBE"],
    "mqtt.prop_key": lambda r: [key for source in (r, r.get("will", {})) for key, _ in source.get("props", {}).get("user_properties", [])],
    "mqtt.prop_value": lambda r: [value for source in (r, r.get("will", {})) for _, value in source.get("props", {}).get("user_properties", [])],
}
TYPES = ["RESERVED", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK",
         "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"]
NUMBERS = ["message_expiry_interval", "session_expiry_interval", "server_keep_alive", "will_delay_interval", "receive_maximum", "topic_alias_maximum",
           "topic_alias", "maximum_packet_size", "payload_format_indicator", "maximum_qos", "retain_available", "wildcard_subscription_available",
           "subscription_identifier_available", "shared_subscription_available", "request_problem_information", "request_response_information"]


def test_tshark_reads_the_same_fields(tmp_path, tshark):
    ours = [record for record in records(read(tmp_path, pcap(everything().packets), "--json")) if record["k"] == "pkt"]
    theirs = [row for row in tshark(tmp_path / "c", *SAME, "mqtt.prop_number", "mqtt.property.topic_alias", "mqtt.property.max_qos",
                                      "mqtt.prop_string", "mqtt.property.content_type") if row[0]]
    assert len(ours) == len(theirs)
    for record, row in zip(ours, theirs):
        *cells, numbers, alias, max_qos, texts, content_type = row
        numbers, texts = numbers + alias + max_qos, texts + content_type
        for (name, of_ours), cell in zip(SAME.items(), cells):
            assert of_ours(record) == cell, (name, record, cell)
        all_props = [source.get("props", {}) for source in (record, record.get("will", {}))]
        mine = [str(p[name]) for p in all_props for name in NUMBERS if name in p] + [str(n) for p in all_props for n in p.get("subscription_identifiers", [])]
        assert sorted(mine) == sorted(numbers), (record, numbers)
        strings = [value for p in all_props for value in p.values() if isinstance(value, str)]
        binary = [value for p in all_props for value in p.values() if isinstance(value, dict)]
        assert all(texts.count(text) >= strings.count(text) for text in strings), (record, texts)
        assert len(texts) == len(strings) + len(binary), (record, texts)


def test_what_is_written_opens_in_tshark_with_its_comments(tmp_path, tshark):
    for style in ("pdu", "tcp"):
        assert_ok(read(tmp_path, pcap(broken().packets), "-w", tmp_path / "w", "--pcap-style", style))
        rows = [row for row in tshark(tmp_path / "w", "mqtt.msgtype", "frame.comment", "mqtt.passwd", "frame.time_epoch")]
        packets = [row for row in rows if row[0]]
        assert [row[0] for row in packets] == [["1"], ["2"], ["3"], ["3"]], rows
        assert packets[2][1][0].startswith("! E 5.0 MQTT-3.3.2-2") and packets[3][1][0].startswith("! E 5.0 MQTT-3.3.1-2"), packets
        assert packets[0][2] == ["******"] and packets[0][3][0].startswith("1767614400.003"), packets
        assert any("CLOSE by=server fin why: server closed: client fault" in comment for row in rows for comment in row[1]), rows


def test_made_up_tcp_has_right_checksums_and_every_byte(tmp_path, tshark):
    data = publish("a", bytes(200_000))
    big = Talk().open().client(CONNECT).server(CONNACK).client(*(data[at:at + 50_000] for at in range(0, len(data), 50_000))).close()
    v6 = talk(client=("2001:db8::7", 1), server=("2001:db8::1", 1883))
    assert_ok(read(tmp_path, pcap(merged(big, v6), snap=1 << 20), "-w", tmp_path / "w", "--pcap-style", "tcp"))
    checked = subprocess.run(["tshark", "-o", "tcp.check_checksum:true", "-o", "ip.check_checksum:true", "-r", tmp_path / "w", "-Y",
                              "tcp.checksum.status == 0 || ip.checksum.status == 0 || tcp.analysis.flags"], capture_output=True, timeout=60, check=True)
    assert checked.stdout == b"", checked.stdout


@pytest.mark.parametrize("style", ["pdu", "tcp"])
def test_what_is_written_is_read_again(tmp_path, style):
    first = read(tmp_path, pcap(everything().packets), "--json", "-w", tmp_path / "w", "--pcap-style", style, "--show-secrets")
    again = mqspy("read", tmp_path / "w", "--json", "--show-secrets")
    assert [r for r in records(again) if r["k"] == "pkt"] == [r for r in records(first) if r["k"] == "pkt"]


def test_secrets_are_not_written(tmp_path):
    for style in ("pdu", "tcp"):
        read(tmp_path, pcap(everything().packets), "-w", tmp_path / "w", "--pcap-style", style)
        data = (tmp_path / "w").read_bytes()
        assert b"s3cret" not in data and b"\x16\x00\x03one" not in data and b"plc3" in data
        read(tmp_path, pcap(everything().packets), "-w", tmp_path / "w", "--pcap-style", style, "--show-secrets")
        assert b"s3cret" in (tmp_path / "w").read_bytes()


def long_payload(tmp_path):
    """A recording of a PUBLISH whose payload is longer than what is kept of one, and of a PINGREQ behind it."""
    message = publish("a", b"0123456789" * 150_000)
    t = Talk().open().client(CONNECT).server(CONNACK).client(*(message[at:at + 50_000] for at in range(0, len(message), 50_000)))
    file = tmp_path / "long"
    file.write_bytes(pcap(t.client(packet(12)).close().packets, snap=1 << 20))
    return file, len(message)


def test_of_a_long_payload_the_front_is_kept_and_the_rest_is_counted(tmp_path):
    file, size = long_payload(tmp_path)
    shown = assert_ok(mqspy("read", file, "--json", "--raw"))
    (tmp_path / "again").write_bytes(shown.out)
    assert mqspy("read", tmp_path / "again", "--json", "--raw").out == shown.out
    message = next(record for record in records(shown) if record.get("type") == "PUBLISH")
    jsonschema.validate(message, SCHEMA)
    kept = 1 << 20
    assert (message["len"], message["raw"]["len"], message["left_out"], message["payload"]["len"]) == (size, size, 1_500_000 - kept, 1_500_000)
    assert message["payload"]["data"] == ("0123456789" * 150_000)[:kept]
    assert len(base64.b64decode(message["raw"]["data"])) == size - message["left_out"]
    lines = assert_ok(mqspy("read", file, "-v", "-s", "10", "--filter", "payload.len==1500000")).out.decode().splitlines()
    assert lines[0].endswith(" a 1500000B 0123456789…") and lines[-1] == f"    {message['left_out']} bytes more, which were not kept", lines
    assert_fails(mqspy("replay", file, "--to", "127.0.0.1:1"), 2, "packet 3 of c1 cannot be sent", "was not kept")


def test_a_long_payload_is_written_as_far_as_others_read_it(tmp_path, tshark):
    file, size = long_payload(tmp_path)
    assert_ok(mqspy("read", file, "-w", tmp_path / "w"))
    comments = [row[1] for row in tshark(tmp_path / "w", "mqtt.msgtype", "frame.comment") if row[0] == ["3"]]
    assert comments == [[f"{1_500_000 - (1 << 20)} bytes were not kept"]], comments
    again = [(record["type"], record["len"]) for record in records(mqspy("read", tmp_path / "w", "--json")) if record["k"] == "pkt"]
    assert again[2:] == [("PUBLISH", size), ("PINGREQ", 2)], again
    assert_ok(mqspy("read", file, "-w", tmp_path / "w", "--pcap-style", "tcp"))
    kinds = [record.get("type", record["k"]) for record in records(mqspy("read", tmp_path / "w", "--json"))]
    assert "gap" in kinds and kinds[-2:] == ["PINGREQ", "close"], kinds


# --- diagrams and sums --------------------------------------------------------------------------------------

def test_a_ladder_shows_who_says_what(tmp_path):
    out = assert_ok(read(tmp_path, pcap(talk().packets), "--ladder")).out.decode().splitlines()
    assert "plc3 10.0.0.7:51234" in out[0] and out[0].endswith("10.0.0.1:1883"), out
    assert "|-- CONNECT  v5" in out[1] and out[1].endswith(">|") and "|<--" in out[2] and out[2].endswith("+1.000ms --|"), out


def test_a_ladder_can_be_of_one_client(tmp_path):
    other = Talk(client=("10.0.0.8", 9)).open().client(connect("other")).server(CONNACK).close()
    data = pcap(merged(talk(), other))
    for client in ("other", "c2", "10.0.0.8:9"):
        out = assert_ok(read(tmp_path, data, f"--ladder={client}")).out
        assert b"id=other" in out and b"plc3" not in out, (client, out)


def test_a_ladder_for_mermaid(tmp_path):
    out = assert_ok(read(tmp_path, pcap(broken().packets), "--ladder", "--mermaid")).out.decode().splitlines()
    assert out[0] == "sequenceDiagram" and out[3].startswith("  c1->>s1: CONNECT") and out[4].startswith("  s1-->>c1: CONNACK"), out
    assert any(line.startswith("  Note over c1,s1: ! E 5.0 MQTT-3.3.2-2") for line in out), out


def test_exchanges_are_one_line_each(tmp_path):
    out = assert_ok(read(tmp_path, pcap(everything().packets), "--group")).out.decode().splitlines()
    exact = next(line for line in out if "a/c" in line)
    assert out[out.index(exact) + 1].lstrip().startswith("! E 5.0 MQTT-3.2.2-11"), out
    assert [part.split()[0] for part in exact.split(" | ")[1:]] == ["PUBREC", "PUBREL", "PUBCOMP"], exact
    unfinished = Talk().open().client(CONNECT).server(CONNACK).client(PUBLISH).close()
    assert b"unfinished\n" in read(tmp_path, pcap(unfinished.packets), "--group").out


def test_statistics_count_packets_latencies_findings_and_ends(tmp_path):
    out = assert_ok(read(tmp_path, pcap(talk().packets), "--stats")).out.decode()
    assert "1 connections" in out and "plant/7/temp" in out and "1 ended: disconnect" in out, out
    stat, = records(read(tmp_path, pcap(broken().packets), "--stats", "--json"))
    assert stat["findings"] == [{"ver": "5.0", "id": "MQTT-3.3.1-2", "count": 1}, {"ver": "5.0", "id": "MQTT-3.3.2-2", "count": 1}], stat
    assert {"type": "CONNACK", "count": 1, "p50_us": 1000, "p99_us": 1000, "p999_us": 1000, "max_us": 1000} in stat["latency"], stat


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    assert_fails(read(tmp_path, pcap(talk().packets), "-w", tmp_path / "no" / "w"), 14, "No such file")


# --- explain ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name,words", [
    ("MQTT-3.3.1-2", ["MQTT 3.1.1", "MQTT 5.0", "DUP", "lint: error"]), ("[mqtt-3.1.2-22]", ["MQTT 3.1.1", "MQTT 5.0"]), ("3.8.3-3", ["SUBSCRIBE"]),
    ("0x87", ["Not authorized", "CONNACK from the server"]), ("135", ["Not authorized"]), ("Session taken over", ["0x8e"]),
    ("topic-alias", ["property 0x23", "two bytes", "in: PUBLISH"]), ("Message Expiry Interval", ["property 0x02", "Will Properties"]),
    ("pubrel", ["packet type 6"]), ("0x00", ["Success", "Normal disconnection", "Granted QoS 0"])])
def test_explain_knows_clauses_codes_properties_and_packets(name, words):
    out = assert_ok(mqspy("explain", name)).out.decode()
    assert all(word in out for word in words), out


def test_explain_has_words_for_each_code_property_and_packet():
    for number in range(256):
        result = mqspy("explain", str(number))
        if result.code == 0:
            assert all(line.strip() for line in result.out.decode().splitlines()), result
    assert sum(mqspy("explain", hex(number)).code == 0 for number in range(0x80, 0xA3)) == 35


def test_explain_suggests_what_was_meant():
    assert_fails(mqspy("explain", "not authorised"), 2, "Not authorized")
    assert_fails(mqspy("explain", "MQTT-3.3.1-22"), 2, "did you mean")
    assert_fails(mqspy("explain"), 2, "--coverage")
    assert_fails(mqspy("read", "x", "--coverage"), 2, "explain")


def test_coverage_lists_each_clause_with_its_rule_or_the_reason():
    *rows, total = assert_ok(mqspy("explain", "--coverage")).out.decode().splitlines()
    assert len(rows) > 400 and " have a rule, " in total, total
    assert any(row.startswith("5.0    MQTT-3.3.1-2 ") and "error: DUP" in row for row in rows)
    assert any("no rule: " in row for row in rows) and not any(row.rstrip().endswith("no rule") for row in rows if "MQTT-" in row)


# --- options of other commands --------------------------------------------------------------------------------

@pytest.mark.parametrize("command", [("proxy", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1"), ("read", "f"), ("lint", "f"),
                                     ("replay", "f", "--to", "127.0.0.1:1"), ("capture", "-i", "lo"), ("decode", "3000"), ("explain", "PUBLISH")], ids=lambda words: words[0])
@pytest.mark.parametrize("commands,options", [
    ("proxy", ["--print-address", "--fault=qos>0 do drop", "--seed=2"]),
    ("proxy and replay", ["--to=h", "--insecure", "--connect-timeout=1s"]), ("replay", ["--conn=c1", "--speed=max"]),
    ("proxy, read, capture and lint", ["--stop-on=qos>0", "--expect=qos>0"]),
    ("proxy, read, capture, lint and replay", ["--filter=qos>0", "-tepoch", "--group", "--ladder", "--stats", "--write=f"]),
    ("proxy, read, capture, lint, replay and decode", ["-v", "-q", "-s1", "--show-secrets", "--json"]),
    ("decode", ["-V5", "--from=client"]), ("explain", ["--coverage"]), ("capture", ["--interface=lo"])], ids=lambda value: str(value)[:24])
def test_an_option_of_another_command_is_refused_by_name(command, commands, options):
    if command[0] in commands:
        return
    for option in options:
        result = assert_fails(mqspy(*command, option), 2, f"' is for mqspy {commands}, not for {command[0]}")
        name = {"-t": "--time", "-v": "--verbose", "-q": "--no-acks", "-s": "--snippet", "-V": "--protocol-version"}
        assert f"option '{name.get(option[:2], option.split('=')[0])}'" in result.err_text, result
