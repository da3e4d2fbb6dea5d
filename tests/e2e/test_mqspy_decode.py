"""mqspy decode: packets as digits, base64 or bytes, taken apart to the last field that can be read."""

import base64
import json
import os
import pathlib
import pty
import subprocess

import jsonschema
import pytest

from support.proc import DEADLINE
from support.tools import assert_fails, assert_ok, mqspy, program

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[2] / "tools/mqspy/mqspy-record.schema.json").read_text())

PUBLISH = "322c000c706c616e742f372f74656d70000711020000003c2600037372630004706c63337b2263223a32312e357d"
CONNECT = "101a00044d51545405c2003c00000161000175000573656372" + "65"


def test_a_packet_is_shown_with_every_byte_of_every_field():
    result = assert_ok(mqspy("decode", PUBLISH))
    assert result.out.decode() == """\
> PUBLISH  q1 #7 plant/7/temp exp=60 up{src=plc3} 10B {"c":21.5}
    00  32                                   header PUBLISH dup=0 qos=1 retain=0
    01  2c                                   remaining length 44
    02  00 0c 70 6c 61 6e 74 2f 37 2f 74 65  topic, 12 bytes: plant/7/temp
    0e  6d 70
    10  00 07                                packet identifier 7
    12  11                                   property length 17
    13  02 00 00 00 3c                       message expiry interval 60 s
    18  26 00 03 73 72 63 00 04 70 6c 63 33  user property src=plc3
    24  7b 22 63 22 3a 32 31 2e 35 7d        payload {"c":21.5}
"""


@pytest.mark.parametrize("spelling", [
    (PUBLISH.upper(),), (" ".join(PUBLISH[i:i + 2] for i in range(0, len(PUBLISH), 2)),),
    tuple(f"0x{PUBLISH[i:i + 2]}" for i in range(0, len(PUBLISH), 2)),
    (base64.b64encode(bytes.fromhex(PUBLISH)).decode(),)])
def test_digits_and_base_64_are_read_in_their_usual_spellings(spelling):
    assert mqspy("decode", *spelling).out == mqspy("decode", PUBLISH).out


@pytest.mark.parametrize("content", [bytes.fromhex(PUBLISH), PUBLISH.encode() + b"\n", base64.b64encode(bytes.fromhex(PUBLISH)) + b"\n"])
def test_bytes_digits_and_base_64_are_read_from_a_file_and_from_stdin(tmp_path, content):
    (tmp_path / "p").write_bytes(content)
    expected = mqspy("decode", PUBLISH).out
    assert mqspy("decode", tmp_path / "p").out == expected
    assert mqspy("decode", stdin=content).out == expected
    assert mqspy("decode", "-", stdin=content).out == expected


def test_a_stream_is_cut_into_its_packets_and_each_goes_its_own_way():
    result = assert_ok(mqspy("decode", "-v", "c000d000" + "900400010000"))
    assert [line[:10] for line in result.out.decode().splitlines() if line[0] in "<>"] == ["> PINGREQ ", "< PINGRESP", "< SUBACK  "]


def test_a_broken_packet_shows_its_fields_the_fault_and_the_rest():
    result = mqspy("decode", "-V", "5", "-vv", "3207000161000009" + "61")
    assert result.code == 12, result
    lines = result.out.decode().splitlines()
    assert lines[0] == "> PUBLISH  q1 a broken 9B" and "packet identifier 0" in lines[4], lines
    assert "! E 5.0 MQTT-2.2.1-3" in lines[5] and lines[5].endswith("@5"), lines
    assert lines[6].split()[1:] == ["09", "property", "length", "9"] and "! E 5.0 v5#2.2.2.2/prop-length" in lines[7] and lines[7].endswith("@7"), lines
    assert [line.split()[1:] for line in lines[8:]] == [["61", "not", "understood", "1B"]], lines


def test_the_line_of_a_broken_packet_has_what_can_be_read_and_each_fault():
    result = mqspy("decode", "3809" + "0005" + b"a/+/b".hex() + "0078")
    assert result.code == 12 and result.out.decode().splitlines()[0] == "> PUBLISH  q0 dup a/+/b 1B x", result
    assert b"MQTT-3.3.1-2" in result.out and b"@0" in result.out and b"MQTT-3.3.2-2" in result.out and b"@6" in result.out, result


def test_a_cut_packet_says_so():
    result = mqspy("decode", "3005000161")
    assert result.code == 12 and b"the packet is cut @5" in result.out, result


def test_passwords_are_hidden_unless_asked_for():
    hidden = mqspy("decode", "-vv", CONNECT)
    assert b"password ***" in hidden.out and b"** ** **" in hidden.out, hidden
    assert b"73 65 63 72" not in hidden.out and b"secr" not in hidden.out, hidden
    shown = mqspy("decode", "-vv", "--show-secrets", CONNECT)
    assert b"73 65 63 72 65" in shown.out and b"secre" in shown.out, shown


def test_version_and_direction_can_be_said():
    assert b"MQTT-3.3.4-6" in mqspy("decode", "-V", "5", "--from", "client", "300600016102" + "0b01").out
    assert_ok(mqspy("decode", "--from", "server", "300600016102" + "0b01"))
    assert b"property" not in assert_ok(mqspy("decode", "-V", "311", "30050001610000")).out


def test_what_is_neither_digits_nor_base_64_nor_a_file_is_a_usage_error():
    assert_fails(mqspy("decode", "xyz!"), 2, "xyz!")
    assert_fails(mqspy("nonsense"), 2, "nonsense", "decode")
    assert_fails(mqspy(), 2, "command")


def test_a_packet_as_json():
    found = [json.loads(line) for line in assert_ok(mqspy("decode", "--json", "--raw", PUBLISH)).out.splitlines()]
    assert [record["k"] for record in found] == ["pkt"]
    jsonschema.validate(found[0], SCHEMA)
    assert found[0]["topic"] == "plant/7/temp" and found[0]["props"]["message_expiry_interval"] == 60
    assert base64.b64decode(found[0]["raw"]["data"]).hex() == PUBLISH
    broken = mqspy("decode", "-V", "5", "--json", "3207000161000009" + "61")
    assert broken.code == 12 and [json.loads(line)["k"] for line in broken.out.splitlines()] == ["pkt", "lint", "lint"]
    for line in broken.out.splitlines():
        jsonschema.validate(json.loads(line), SCHEMA)
    assert json.loads(broken.out.splitlines()[0])["topic"] == "a"
    no_text = mqspy("decode", "--json", "30060002c08000" + "78")
    assert no_text.code == 12 and json.loads(no_text.out.splitlines()[0])["topic"] == "base64:wIA=", no_text


def test_without_a_packet_it_says_what_it_wants(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    for words in ((), ("-",), (tmp_path / "empty",)):
        assert_fails(mqspy("decode", *words), 2, "needs a packet", "standard input")
    master, slave = pty.openpty()
    try:
        at_keyboard = subprocess.run([program("mqspy"), "decode"], stdin=slave, capture_output=True, timeout=DEADLINE)
    finally:
        os.close(slave)
        os.close(master)
    assert at_keyboard.returncode == 2 and b"needs a packet" in at_keyboard.stderr, at_keyboard
