"""mqspy read and lint: captures of every kind, put together as TCP says, judged, and written."""

import json
import struct

import pytest

from support import captures as cap
from support.captures import Talk, merged, pcap, pcapng, ws_frame
from support.mqtt_wire import connack, packet, publish, string
from support.proc import DEADLINE
from support.talks import CONNACK, CONNECT, PUBACK, PUBLISH, broken, connect, talk
from support.tools import assert_fails, assert_ok, mqspy


def read(tmp_path, data, *options, command="read", code=0):
    file = tmp_path / "c"
    file.write_bytes(data)
    result = mqspy(command, file, *options)
    assert result.code == code, result
    return result


def lines(result):
    """Without what is told of connections as such."""
    return [line.split(" ", 1)[1] for line in result.out.decode().splitlines() if " OPEN " not in line and " CLOSE " not in line]


def records(result, kind=None):
    found = [json.loads(line) for line in result.out.decode().splitlines()]
    return [record for record in found if kind in (None, record["k"])]


EXPECTED = ["c1 > CONNECT  v5 id=plc3 clean ka=60 19B", "c1 < CONNACK  ok sp=0 5B  +1.000ms",
            'c1 > PUBLISH  q1 #7 plant/7/temp 10B {"c":21.5}', "c1 < PUBACK   #7 ok 4B  +1.000ms", "c1 > DISCONNECT ok 2B"]


def test_the_line(tmp_path):
    out = assert_ok(read(tmp_path, pcap(talk().packets))).out.decode().splitlines()
    assert out[0] == "12:00:00.000000 c1 - OPEN     10.0.0.7:51234 10.0.0.1:1883 tcp", out
    assert out[3] == '12:00:00.005000 c1 > PUBLISH  q1 #7 plant/7/temp 10B {"c":21.5}', out
    assert out[6] == "12:00:00.008000 c1 x CLOSE    by=client fin life=8ms c2s=3 s2c=2  why: client ended it with DISCONNECT", out


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("write", [pcap, pcapng, lambda p, order: pcap(p, order=order, nanoseconds=True),
                                   lambda p, order: pcapng(p, order=order, resolution=9, offset=3600),
                                   lambda p, order: pcapng(p, order=order, resolution=0x80 | 20)])
def test_both_formats_in_either_byte_order_and_every_resolution(tmp_path, write, order):
    result = assert_ok(read(tmp_path, write(talk().packets, order=order)))
    assert [line.split("  +")[0] for line in lines(result)] == [line.split("  +")[0] for line in EXPECTED]
    assert b"12:00:00.00" in result.out


V6 = {"client": ("2001:db8::7", 51234), "server": ("2001:db8::1", 1883)}


@pytest.mark.parametrize("how", [
    {}, {"link": cap.NULL}, {"link": cap.LOOP}, {"link": cap.RAW}, {"link": cap.SLL}, {"link": cap.SLL2},
    {"vlans": [(0x8100, 7)]}, {"vlans": [(0x88A8, 7), (0x8100, 8)]}, V6, {**V6, "link": cap.RAW}, {**V6, "link": cap.NULL},
    {**V6, "extensions": [(0, bytes([0]) + bytes(6)), (60, bytes([1]) + bytes(14))]},
    {**V6, "extensions": [(44, bytes(7))]}], ids=str)
def test_every_link_layer_and_both_ips(tmp_path, how):
    assert lines(assert_ok(read(tmp_path, pcap(talk(**how).packets, link=how.get("link", cap.ETHERNET))))) == EXPECTED


def test_ports_say_nothing(tmp_path):
    assert lines(assert_ok(read(tmp_path, pcap(talk(server=("10.0.0.1", 40404)).packets)))) == EXPECTED
    other = Talk(server=("10.0.0.1", 40404)).open().client(b"SSH-2.0-x\r\n").server(b"SSH-2.0-y\r\n").close()
    assert b"no MQTT" in read(tmp_path, pcap(other.packets)).err


def test_stdin_is_read_as_it_comes(tmp_path):
    assert lines(assert_ok(mqspy("read", "-", stdin=pcap(talk().packets)))) == EXPECTED


# --- TCP ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("first", [(1000, 5000), (0xFFFFFFFE, 0xFFFFFFF0)], ids=["", "over the end of the numbers"])
def test_segments_out_of_order_repeated_and_overlapping_give_the_stream_once(tmp_path, first):
    t = Talk(sequence=first).open()
    data, at = CONNECT + PUBLISH + packet(14), t.next[0]
    for begin, end in ((40, 60), (10, 30), (0, 5), (3, 12), (20, 45), (0, 20), (58, len(data))):
        t.segment(0, cap.PSH | cap.ACK, data[begin:end], sequence=at + begin)
    t.next[0] += len(data)
    t.server(CONNACK, PUBACK).close()
    seen = [line.split("  +")[0] for line in lines(read(tmp_path, pcap(t.packets)))]
    assert [line for line in seen if " > " in line] == [EXPECTED[0], EXPECTED[2], EXPECTED[4]]


def test_the_first_copy_of_a_byte_wins(tmp_path):
    t = Talk().open()
    at = t.next[0]
    t.segment(0, cap.ACK, CONNECT[4:], sequence=at + 4).segment(0, cap.ACK, b"X" * (len(CONNECT) - 4), sequence=at + 4)
    t.client(CONNECT[:4], b"").server(CONNACK)
    assert lines(read(tmp_path, pcap(t.packets)))[0] == EXPECTED[0]


def test_a_lost_segment_is_a_gap_once_the_peer_has_acknowledged_what_is_behind_it(tmp_path):
    t = Talk().open().client(CONNECT).server(CONNACK)
    t.client(PUBLISH, keep=False).client(publish("a", b"x"), publish("b", b"y")).server(PUBACK).client(publish("c", b"z")).close()
    seen = lines(read(tmp_path, pcap(t.packets)))
    assert f"c1 > GAP      {len(PUBLISH)}B missing" in seen, seen
    assert seen.index("c1 > PUBLISH  q0 a 1B x") < seen.index("c1 > PUBLISH  q0 c 1B z"), seen
    assert not any("! E" in line for line in seen), "what was not seen is not judged"


def test_without_acknowledgements_a_gap_is_declared_at_a_mebibyte(tmp_path):
    t = Talk().open().client(CONNECT).server(CONNACK)
    t.client(PUBLISH, keep=False)
    for n in range(60):
        t.segment(0, cap.PSH, publish("a", bytes(20_000)))
    seen = lines(read(tmp_path, pcap(t.packets)))
    assert sum("PUBLISH" in line for line in seen) >= 59 and any("GAP" in line for line in seen), seen[:5]


def test_a_connection_that_began_before_the_capture_is_followed_without_what_is_not_known(tmp_path):
    t = Talk().client(PUBLISH[20:]).client(publish("a", b"x"), publish("b", b"y")).server(PUBACK)
    result = read(tmp_path, pcap(t.packets))
    assert b"partial" in result.out and b"PUBLISH  q0 a" in result.out and b"! E" not in result.out, result


def test_packets_cut_by_the_snap_length_do_not_stop_the_rest(tmp_path):
    t = Talk().open().client(CONNECT).server(CONNACK).client(publish("a", bytes(3000)), publish("b", b"y"))
    t.server(packet(13)).client(publish("c", b"z"), publish("d", b"z"))
    seen = lines(read(tmp_path, pcap(t.packets, snap=200)))
    assert any("GAP" in line for line in seen) and any("q0 d" in line for line in seen), seen


def test_two_connections_between_the_same_ends_are_two(tmp_path):
    first, second = talk(), talk(at=1.0, sequence=(70000, 90000))
    result = assert_ok(read(tmp_path, pcap(merged(first, second))))
    assert result.out.count(b" OPEN ") == 2 and result.out.count(b"c2 > PUBLISH") == 1, result


@pytest.mark.parametrize("how", [{}, V6, {**V6, "extensions": [(60, bytes([1]) + bytes(14))]}], ids=["v4", "v6", "v6-options"])
def test_fragments_are_put_together(tmp_path, how):
    packets = []
    for number, (at, packet) in enumerate(talk(**how).packets):
        parts = cap.fragments(packet, 16, number)
        packets += [(at, part) for part in (reversed(parts) if number % 2 else parts)]
    result = assert_ok(read(tmp_path, pcap(packets)))
    assert lines(result) == EXPECTED


def test_fragments_are_said(tmp_path):
    t = Talk().open().client(CONNECT).segment(0, cap.ACK, b"x", fragment=0x2000)
    assert b"1 fragments" in read(tmp_path, pcap(t.packets)).err


# --- what MQTT comes in -------------------------------------------------------------------------------------

def test_packets_cut_anywhere_and_several_in_one_segment_are_normal(tmp_path):
    """tshark loses its way in a length that is cut, and mixes packets of one segment in its JSON."""
    big = publish("a", bytes(300))
    t = Talk().open().client(CONNECT).server(CONNACK).client(big[:2], big[2:3], big[3:] + publish("b") + publish("c"))
    seen = lines(read(tmp_path, pcap(t.packets)))
    assert [line[:22] for line in seen[2:]] == ["c1 > PUBLISH  q0 a 300", "c1 > PUBLISH  q0 b 0B", "c1 > PUBLISH  q0 c 0B"], seen


def test_aliases_are_of_one_direction(tmp_path):
    """tshark keeps one table for both directions of a connection."""
    def alias(topic, number):
        return packet(3, string(topic) + b"\x03\x23" + struct.pack(">H", number))
    t = Talk().open().client(connect(props={0x22: 5})).server(connack(5, props={0x22: 5})).client(alias("up", 1)).server(alias("down", 1))
    t.client(alias("", 1)).server(alias("", 1)).client(alias("", 2))
    seen = lines(read(tmp_path, pcap(t.packets)))
    assert [line.split("PUBLISH  q0 ")[1] for line in seen if "PUBLISH" in line] == [
        "@1:=up 0B", "@1:=down 0B", "up(@1) 0B", "down(@1) 0B", "@2? 0B"], seen


UPGRADE = (b"GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n")
SWITCHED = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n")
MASK = b"\x12\x34\x56\x78"


def test_websocket_is_unwrapped_whatever_the_frames_are(tmp_path):
    t = Talk(server=("10.0.0.1", 8080)).open().client(UPGRADE[:30], UPGRADE[30:]).server(SWITCHED)
    frames = [ws_frame(CONNECT[:5], mask=MASK, final=False) + ws_frame(b"ping", opcode=9, mask=MASK),
              ws_frame(CONNECT[5:], opcode=0, mask=MASK), ws_frame(PUBLISH + packet(14), mask=MASK)]
    t.client(frames[0][:9], frames[0][9:], frames[1]).server(ws_frame(CONNACK)).client(frames[2]).server(ws_frame(PUBACK)).close()
    result = read(tmp_path, pcap(t.packets))
    assert b"10.0.0.1:8080 ws" in result.out, result
    assert sorted(line.split("  +")[0] for line in lines(result)) == sorted(line.split("  +")[0] for line in EXPECTED)


@pytest.mark.parametrize("upgrade, switched, frame, clause, side", [
    (UPGRADE.replace(b": mqtt\r\n", b": chat\r\n"), SWITCHED, {}, "MQTT-6.0.0-3", "client"),
    (UPGRADE, SWITCHED.replace(b": mqtt\r\n", b": chat\r\n"), {}, "MQTT-6.0.0-4", "server"),
    (UPGRADE, SWITCHED, {"opcode": 1}, "MQTT-6.0.0-1", "client")])
def test_websocket_has_the_subprotocol_mqtt_and_binary_frames(tmp_path, upgrade, switched, frame, clause, side):
    t = Talk(server=("10.0.0.1", 8080)).open().client(upgrade).server(switched).client(ws_frame(CONNECT, mask=MASK))
    t.server(ws_frame(CONNACK)).client(ws_frame(PUBLISH, mask=MASK, **frame)).server(ws_frame(PUBACK)).close()
    found = records(read(tmp_path, pcap(t.packets), "--json", command="lint", code=13), "lint")
    assert (clause, side) in [(record["id"], record["side"]) for record in found], found
    assert [record["id"] for record in found if record["id"].startswith("MQTT-6")] == [clause], found


def test_a_proxy_preamble_names_the_client(tmp_path):
    t = Talk(server=("10.0.0.1", 5000)).open().client(b"PROXY TCP4 192.0.2.9 10.0.0.1 4242 1883\r\n" + CONNECT).server(CONNACK)
    result = read(tmp_path, pcap(t.packets))
    assert lines(result)[0] == EXPECTED[0] and b"192.0.2.9:4242 by 10.0.0.7:51234" in result.out, result


def test_tls_is_named_and_skipped(tmp_path):
    t = Talk(server=("10.0.0.1", 8883)).open().client(bytes.fromhex("1603010200") + bytes(80)).server(b"\x16\x03\x03\0\x05hello").close()
    result = read(tmp_path, pcap(merged(t, talk(client=("10.0.0.8", 4000)))))
    assert b"10.0.0.7:51234 10.0.0.1:8883: TLS, which cannot be read" in result.out and b"PUBLISH" in result.out, result


def test_who_says_nothing_on_the_usual_port_is_shown(tmp_path):
    result = read(tmp_path, pcap(Talk().open().close().packets))
    assert b"why: closed before any MQTT packet" in result.out, result


# --- files that are broken, or something else -----------------------------------------------------------------

@pytest.mark.parametrize("write", [pcap, pcapng])
def test_a_cut_file_is_read_as_far_as_it_goes(tmp_path, write):
    whole = write(talk().packets)
    for size in (1, 3, 20, 30, 100, len(whole) - 1, len(whole) - 30):
        result = mqspy("read", "-", stdin=whole[:size])
        assert result.code in (0, 14) and result.err.startswith(b"mqspy: "), (size, result)
    assert b"ends in the middle of a record" in result.err


def test_what_is_no_capture_is_said(tmp_path):
    (tmp_path / "x").write_bytes(b"hello world")
    assert_fails(mqspy("read", tmp_path / "x"), 14, "neither a pcap nor a pcapng file")
    assert_fails(mqspy("read", tmp_path / "none"), 14, "none", "No such file")
    assert_fails(mqspy("read"), 2, "file")
    damaged = bytearray(pcap(talk().packets))
    damaged[24 + 8:24 + 12] = b"\xff\xff\xff\x7f"
    assert b"damaged at byte 24" in read(tmp_path, bytes(damaged), code=14).err


# --- lint ---------------------------------------------------------------------------------------------------

def test_lint_tells_only_what_is_wrong_and_exits_13(tmp_path):
    result = read(tmp_path, pcap(broken().packets), command="lint", code=13)
    out = result.out.decode().splitlines()
    assert "PUBLISH" in out[0] and out[1].startswith(" " * 21 + "! E 5.0 MQTT-3.3.2-2 ") and out[1].endswith("@6"), out
    assert "MQTT-3.3.1-2" in out[3] and "CONNECT " not in result.out.decode(), out
    assert read(tmp_path, pcap(talk().packets), command="lint").out == b""


def test_the_same_number_is_printed_with_its_version(tmp_path):
    t = Talk().open().client(connect(version=4)).server(connack(4)).client(publish("a/#", version=4))
    assert b"! E 3.1.1 MQTT-3.3.2-2" in read(tmp_path, pcap(t.packets), command="lint", code=13).out


# --- what is waited for -------------------------------------------------------------------------------------

def three():
    """A connection whose messages come at 3, 5 and 7 ms, and of which the second one is wrong."""
    t = Talk().open().client(CONNECT).server(CONNACK)
    return t.client(publish("a", b"1"), publish("b", b"2", qos=0, dup=1), publish("c", b"3")).close()


def test_stop_on_is_the_end_of_what_is_shown(tmp_path):
    data = pcap(three().packets)
    out = assert_ok(read(tmp_path, data, "--stop-on", "topic==a", "--stop-on", "topic==c")).out.decode().splitlines()
    assert " PUBLISH  q0 a 1B" in out[-1], out
    assert len(assert_ok(read(tmp_path, data, "--stop-on", "topic==never")).out.splitlines()) > len(out)
    sums = assert_ok(read(tmp_path, data, "--stop-on", "topic==a", "--stats")).out.decode()
    assert "PUBLISH" in sums, "what gathers until the end is still written"


def test_stop_on_does_not_wait_for_the_end_of_a_pipe(tmp_path):
    import subprocess
    from support.tools import program
    with subprocess.Popen([program("mqspy"), "read", "-", "--stop-on", "type==CONNACK"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as spy:
        spy.stdin.write(pcap(three().packets))
        spy.stdin.flush()
        assert spy.wait(DEADLINE) == 0 and spy.stdout.read().splitlines()[-1].startswith(b"12:00:00.00")


def test_expect_is_13_if_something_has_not_come(tmp_path):
    data = pcap(three().packets)
    assert_ok(read(tmp_path, data, "--expect", "topic==c", "--expect", "topic==a"))
    result = read(tmp_path, data, "--expect", "topic==a", "--expect", "topic==never", code=13)
    assert result.err == b"mqspy: expected and not seen: topic==never\n" and b" CLOSE " in result.out, result
    assert_ok(read(tmp_path, data, "--expect", "topic==a", "--filter", "type==CONNECT"))


def test_within_counts_the_time_of_the_capture(tmp_path):
    t = Talk().open().client(CONNECT).server(CONNACK)
    t.at += 3600
    data = pcap(t.client(publish("late", b"1"), publish("later", b"1")).packets)
    assert_ok(read(tmp_path, data, "--expect", "topic==late within 2h", "--expect", "type==CONNACK within 1s"))
    result = read(tmp_path, data, "--expect", "topic==late within 3599s", code=13)
    assert b"topic==late within 3599s" in result.err and b"later" not in result.out, result


def test_lint_counts_errors_until_it_is_over(tmp_path):
    data = pcap(three().packets)
    read(tmp_path, data, command="lint", code=13)
    assert_ok(read(tmp_path, data, "--stop-on", "topic==a", command="lint"))
    read(tmp_path, data, "--stop-on", "topic==b", command="lint", code=13)
    assert b"not seen" in read(tmp_path, data, "--stop-on", "topic==a", "--expect", "topic==c", command="lint", code=13).err


# --- how it is shown ------------------------------------------------------------------------------------------

def test_json_lines_say_the_same(tmp_path):
    found = records(assert_ok(read(tmp_path, pcap(talk().packets), "--json")))
    assert [record["k"] for record in found] == ["open", "pkt", "pkt", "pkt", "pkt", "pkt", "close"]
    assert found[3] == {"k": "pkt", "n": 3, "conn": "c1", "ts_us": 1767614400005000, "dir": "c2s", "type": "PUBLISH", "ver": 5,
                        "len": len(PUBLISH), "qos": 1, "id": 7, "topic": "plant/7/temp",
                        "payload": {"len": 10, "enc": "utf8", "data": '{"c":21.5}'}, "inflight": {"c2s": 1, "s2c": 0}}
    assert found[4]["answers"] == 3 and found[4]["rtt_us"] == 1000 and "raw" not in found[4]
    assert found[6] == {"k": "close", "conn": "c1", "ts_us": 1767614400008000, "by": "client", "how": "fin", "life_us": 8000,
                        "c2s": 3, "s2c": 2, "why": "disconnect", "msg": "client ended it with DISCONNECT"}


def test_lint_records_name_clause_side_and_bytes(tmp_path):
    found = records(read(tmp_path, pcap(broken().packets), "--json", command="lint", code=13))
    assert {record["k"] for record in found} == {"lint"}
    assert found[0]["id"] == "MQTT-3.3.2-2" and found[0]["ver"] == "5.0" and found[0]["sev"] == "error", found
    assert found[0]["side"] == "client" and found[0]["off"] == 6 and found[0]["n"] == 3, found


def test_json_lines_with_bytes_are_read_again(tmp_path):
    recording = read(tmp_path, pcap(broken().packets), "--json", "--raw", "--show-secrets").out
    again = mqspy("read", "-", "--json", "--raw", "--show-secrets", stdin=recording)
    assert again.code == 0 and again.out == recording, again
    bare = read(tmp_path, pcap(talk().packets), "--json").out
    assert_fails_after(mqspy("read", "-", stdin=bare), "line 2", "--raw")


def assert_fails_after(result, *words):
    assert result.code == 14 and all(word in result.err_text for word in words), result


@pytest.mark.parametrize("options", [(), ("-v",), ("-vv",), ("--json",), ("--json", "--raw")], ids=str)
def test_secrets_are_in_no_output_unless_asked_for(tmp_path, options):
    import base64
    data = pcap(broken().packets)
    hidden = read(tmp_path, data, *options).out
    spellings = [b"s3cret", b"73 33 63 72", base64.b64encode(b"u\0\x06s3cret")[4:-2], base64.b64encode(b"s3cret")]
    decoded = b"".join(base64.b64decode(r["raw"]["data"]) for r in map(json.loads, hidden.splitlines()) if "raw" in r) if "--raw" in options else b""
    assert not any(word in hidden + decoded for word in spellings), hidden
    assert read(tmp_path, data, *options, "--show-secrets").out != hidden


def test_quiet_leaves_out_pings_and_acknowledgements(tmp_path):
    t = Talk().open().client(CONNECT).server(CONNACK).client(PUBLISH).server(PUBACK).client(packet(12)).server(packet(13))
    assert [line.split()[2] for line in lines(read(tmp_path, pcap(t.packets), "-q"))] == ["CONNECT", "CONNACK", "PUBLISH"]


@pytest.mark.parametrize("style,first,second", [("relative", "0.003000", "0.004000"), ("delta", "0.003000", "0.001000"),
                                                ("epoch", "1767614400.003000", "1767614400.004000")])
def test_times_are_of_the_day_or_counted(tmp_path, style, first, second):
    out = read(tmp_path, pcap(talk().packets), "-t", style).out.decode().splitlines()
    assert out[1].split()[0] == first and out[2].split()[0] == second, out


def test_the_preview_of_payloads_is_bounded(tmp_path):
    t = Talk().open().client(CONNECT).server(CONNACK).client(publish("a", b"0123456789"))
    assert lines(read(tmp_path, pcap(t.packets), "-s", "4"))[-1].endswith("10B 0123…")


def test_a_reader_that_goes_away_is_no_failure(tmp_path):
    import subprocess
    from support.tools import program
    t = Talk().open().client(CONNECT).server(CONNACK)
    for n in range(5000):
        t.client(publish("a", bytes(50)))
    (tmp_path / "c").write_bytes(pcap(t.packets))
    with subprocess.Popen([program("mqspy"), "read", tmp_path / "c"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as spy:
        spy.stdout.readline()
        spy.stdout.close()
        assert spy.stderr.read() == b"" and spy.wait(DEADLINE) == 0
