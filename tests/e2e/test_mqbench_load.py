"""mqbench: what a load can be. Topics, sizes, scenario files, presets."""

import json

import pytest

from support import fault_server as faults
from support import mqtt_wire as wire
from support.brokers import Mosquitto
from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.ports import free_port
from support.proc import run
from support.relay import Relay
from support.result_schema import validated
from support.tools import assert_fails, assert_ok, mqbench, mqsub, program

COUNTS = ("lost", "duplicated", "reordered", "corrupted", "foreign", "retained", "connections_lost")


@pytest.fixture(scope="module")
def mqbroker(certs):
    with MqBroker(certs, ("tcp", "tls", "ws", "unix")) as broker:
        yield broker


@pytest.fixture(scope="module")
def mosquitto(certs):
    with Mosquitto(certs, ("tcp", "tls")) as broker:
        yield broker


@pytest.fixture(params=("mqbroker", "mosquitto"))
def broker(request):
    return request.getfixturevalue(request.param)


def result_of(*args, code=0, seconds=60):
    """The JSON of a run."""
    result = mqbench("run", *args, "--json", "-", "--quiet", seconds=seconds)
    assert result.code == code, result
    return validated(json.loads(result.out))


def faults_of(result):
    return {name: result["counts"][name] for name in COUNTS if result["counts"][name] > 0}


def assert_all_came(result, sent, received):
    counts = result["counts"]
    assert (counts["sent"], counts["received"], counts["expected"], faults_of(result)) == (sent, received, received, {})


# --- topics ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("shape, received", (
    (("--topics", "x/{run}/dev-{t}/temp"), 240),
    (("--topics", "{run}/{t:30}", "--publishers", 2, "--subscribers", 3), 240),
    (("--topics", "{run}/{t:30}", "--publishers", 40, "--subscribers", 1), 240),
    (("--topics", "{run}/{t:3}", "--publishers", 7, "--subscribers", 5), 412),  # 2 x 103, 2 x 69, 68
    (("--topics", "{run}/one", "--publishers", 4, "--subscribers", 3), 720),
), ids=str)
def test_topics_of_any_number_lose_and_reorder_nothing(broker, shape, received):
    result = result_of("quick", *broker["tcp"].mq_args(), *shape, "--count", 240, "-q", 1)
    assert_all_came(result, 240, received)
    assert result["scenario"]["topics"] == shape[1]


def test_messages_of_others_on_the_same_topics_are_counted_apart(mqbroker):
    topics = ("--topics", "shared/{t}")
    tcp = mqbroker["tcp"].mq_args()
    result_of("sink", *tcp, *topics, "--publishers", 1, "--count", 1)
    result = result_of("quick", *tcp, *topics, "--publishers", 1, "--subscribers", 1, "--count", 20)
    assert_all_came(result, 20, 20)


# --- sizes ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", ("32", "64..1024", "normal:500:100", "choice:40*9,20000"))
def test_sizes_from_a_distribution(broker, size):
    result = result_of("quick", *broker["tcp"].mq_args(), "--size", size, "--count", 300)
    assert_all_came(result, 300, 300)
    assert result["latency_ns"]["due_to_received"]["count"] == 300


def test_a_seed_gives_the_same_sizes_and_their_ends_are_reached():
    def sizes(seed):
        seen = []
        with Relay(lambda n, payload: seen.append(len(payload)) or [payload]) as relay:
            result_of("pairs", "-L", relay.url, "--publishers", 1, "--subscribers", 1, "--count", 200, "--size", "100..104",
                      "--seed", seed)
        return seen
    first = sizes(1)
    assert set(first) == {100, 101, 102, 103, 104}
    assert first == sizes(1) != sizes(2)


def test_a_payload_of_another_size_of_the_distribution_is_corrupted():
    with Relay(lambda n, payload: [payload[:-1] if n % 50 == 3 else payload]) as relay:
        result = result_of("pairs", "-L", relay.url, "--publishers", 1, "--subscribers", 1, "--count", 200, "--rate", "400/s",
                           "--size", "100..200")
    assert faults_of(result) == {"corrupted": 4}


@pytest.mark.parametrize("size", ("0", "16", "20..100"))
def test_payloads_below_the_stamp_have_no_latency_and_that_is_said_once(broker, size):
    result = mqbench("run", "quick", *broker["tcp"].mq_args(), "--size", size, "--count", 300, "--json", "-")
    assert result.code == 0, result
    written = json.loads(result.out)
    assert_all_came(written, 300, 300)
    assert not {"due_to_received", "sent_to_received"} & set(written["latency_ns"])
    assert result.err_text.count("no latencies") == 1


def test_without_a_stamp_losses_are_counted_and_damage_is_seen():
    with Relay(lambda n, payload: {3: [], 7: [payload[:-1] + b"\0"]}.get(n % 50, [payload])) as relay:
        result = result_of("pairs", "-L", relay.url, "--publishers", 1, "--subscribers", 1, "--count", 200, "--rate", "400/s",
                           "--size", "10", "--drain", "1s")
    assert faults_of(result) == {"lost": 4, "corrupted": 4}


# --- scenario files -------------------------------------------------------------------------------

def test_a_results_scenario_can_be_run_again(mqbroker, scratch):
    first = result_of("pairs", *mqbroker["tcp"].mq_args(), "--publishers", 3, "--subscribers", 2, "--topics", "{run}/{t:5}", "-q",
                      "1:0", "--size", "40..60", "--rate", "500/s", "--arrival", "burst:5", "--count", 100, "--seed", 5, "--drain",
                      "3s", "--source", "127.0.0.1")
    path = scratch / "again.json"
    path.write_text(json.dumps(first["scenario"]))
    second = result_of(path, *mqbroker["tcp"].mq_args())
    assert second["scenario"] == first["scenario"]
    assert second["counts"]["sent"] == 100 and faults_of(second) == {}


def test_a_preset_is_printed_as_a_file_to_start_from(mqbroker, scratch):
    path = scratch / "mine.json"
    path.write_bytes(assert_ok(mqbench("list", "fan-in")).out.replace(b'"publishers": 1000', b'"publishers": 20'))
    result = result_of(path, *mqbroker["tcp"].mq_args(), "--count", 60)
    assert (result["scenario"]["publishers"], result["scenario"]["wiring"]) == (20, "all")
    assert_all_came(result, 60, 60)


def test_options_override_a_file(mqbroker, scratch):
    path = scratch / "mine.json"
    path.write_text('{"preset": "quick", "publishers": 4, "window": 5, "publish_qos": 1, "loop": "closed"}')
    scenario = result_of(path, *mqbroker["tcp"].mq_args(), "--publishers", 2, "--rate", "500/s", "--count", 40)["scenario"]
    assert (scenario["publishers"], scenario["window"], scenario["loop"], scenario["rate"]) == (2, 5, "open", 500)


@pytest.mark.parametrize("text, words", (
    ('{\n "publishers": "x"\n}', (":2: publishers:", "not a number")),
    ('{\n "publisher": 1\n}', (":2: ", "'publisher'", "did you mean publishers?")),
    ('{"seed": 1', (":1: ",)),
    ('', (":1: ",)),
), ids=str)
def test_a_wrong_file_is_one_line_with_its_place(scratch, text, words):
    path = scratch / "wrong.json"
    path.write_text(text)
    assert_fails(mqbench("run", path), 2, str(path), *words)


def test_a_file_that_is_not_there_is_2(scratch):
    assert_fails(mqbench("run", scratch / "nothing.json"), 2, "nothing.json", "No such file")


# --- presets --------------------------------------------------------------------------------------

@pytest.mark.parametrize("preset, options, sent, received", (
    ("fanout-1-1K-1-1K", ("--rate", "200/s"), 40, 400),
    ("fanin-1K-1-1K-1K", ("--rate", "200/s"), 40, 40),
    ("p2p-1k-1k-1k-1k", ("--rate", "200/s"), 40, 40),
    ("fanout-5-1000-5-250K", ("--rate", "200/s"), 40, 400),
    ("p2p-50K-50K-50K-50K", ("--rate", "200/s", "--publishers", 50, "--subscribers", 50), 40, 40),
))
def test_the_benchmark_suite_at_a_hundredth(broker, preset, options, sent, received):
    result = result_of(preset, *broker["tcp"].mq_args(), "--scale", "0.01", *options, "--ramp", "1000/s", "--count", sent)
    assert_all_came(result, sent, received)
    scenario = result["scenario"]
    assert (scenario["scale"], scenario["publish_qos"], scenario["size"]) == (0.01, 1, 32)


def test_an_unknown_preset_is_2_and_the_nearest_is_named():
    assert_fails(mqbench("run", "fanin"), 2, "'fanin'", "did you mean fan-in?")
    assert_fails(mqbench("run", "xyzzyxyzzy"), 2, "'xyzzyxyzzy'", "mqbench list")
    assert_fails(mqbench("list", "fanin"), 2, "did you mean fan-in?")


# --- what is refused ------------------------------------------------------------------------------

@pytest.mark.parametrize("args, words", (
    (("--size", "5..4"), "--size"), (("--size", "16", "--topics", "x/{t}"), "{run}"),
    (("--topics", "a/#"), "--topics"), (("--topics", "a/{p}"), "{p}"), (("--topics", ""), "--topics"),
    (("--scale", "0"), "--scale"), (("--scale", "x"), "--scale"),
    (("--topics", "{run}/{t:5000}", "--subscribers", 2), "5000 topics"),
), ids=str)
def test_usage_errors_are_2_and_one_line(args, words):
    assert_fails(mqbench("run", *args), 2, words)


# --- payloads, properties and aliases ---------------------------------------------------------------

def test_a_payload_from_a_file_follows_the_stamp(mqbroker, scratch):
    path = scratch / "body.bin"
    path.write_bytes(bytes(range(256)) * 4)
    result = result_of("quick", *mqbroker["tcp"].mq_args(), "--payload", f"@{path}", "--count", 100)
    assert_all_came(result, 100, 100)
    assert result["scenario"]["payload"] == f"@{path}"


def test_a_template_makes_each_payload_and_damage_is_seen_in_it():
    seen = []

    def damage(n, payload):
        seen.append(payload[32:])
        return [payload[:-1] + b"!" if n == 9 else payload]
    with Relay(damage) as relay:
        result = result_of("pairs", "-L", relay.url, "--publishers", 1, "--subscribers", 1, "--count", 50, "--payload",
                           '{"n":{seq},"t":{random:1..9}}')
    assert [json.loads(each)["n"] for each in seen] == list(range(1, 51))
    assert faults_of(result) == {"corrupted": 1}


def test_publish_and_subscribe_properties_are_sent(mqbroker):
    result = result_of("quick", *mqbroker["tcp"].mq_args(), "--count", 50, "-D", "publish", "user-property", "k", "v", "-D",
                       "publish", "content-type", "text/plain", "-D", "subscribe", "subscription-identifier", "7")
    assert_all_came(result, 50, 50)
    assert result["broker"]["version"] == "5.0"


def test_a_result_says_to_whom_and_with_what_and_its_scenario_is_a_file(mqbroker, scratch):
    place = mqbroker["tcp"].url.removeprefix("mqtt://")
    args = ("--publish-to", f"mqtt://u:hidden@{place}", "-D", "publish", "user-property", "k", "it's {1}", "-D", "publish",
            "correlation-data", "base64:AP8=", "-D", "connect", "session-expiry-interval", "0", "--count", 20)
    told = mqbench("run", "quick", *mqbroker["tcp"].mq_args(), *args, "--json", scratch / "result.json")
    result = validated(json.loads((scratch / "result.json").read_text(encoding="utf-8")))
    assert "hidden" not in json.dumps(result) and "user-property k 'it'\\''s {1}' -D" in result["tool"]["command_line"]
    scenario = result["scenario"]
    assert (scenario.get("brokers"), scenario["publish_to"]) == ([f"mqtt://{place}"], [f"mqtt://{place}"])
    assert scenario["properties"] == [["connect", "session_expiry_interval", "0"], ["publish", "user_property", "k", "it's {1}"],
                                      ["publish", "correlation_data", "base64:AP8="]]
    assert f"\npublishers to mqtt://{place}\n" in told.out.decode() and "\nproperty publish user_property k it's {1}\n" in told.out.decode()
    (scratch / "again.json").write_text(json.dumps(scenario))
    again = result_of(scratch / "again.json")
    assert_all_came(again, 20, 20)
    assert (again["scenario"], again["scenario_hash"]) == (scenario, result["scenario_hash"])
    other = json.loads(assert_ok(mqbench("list", scratch / "again.json", "--publish-to", "mqtt://h", "-D", "publish", "content-type", "x")).out)
    assert other["publish_to"] == ["mqtt://h:1883"] and ["publish", "content_type", "x"] == other["properties"][-1]
    assert_fails(mqbench("run", scratch / "again.json", "-V", "311"), 2, "properties need MQTT 5")


@pytest.mark.parametrize("topics", ("{run}/{t}", "{run}/{t:50}"))
def test_topic_aliases_lose_nothing(broker, topics):
    result = result_of("quick", *broker["tcp"].mq_args(), "--topic-alias", "--topics", topics, "--count", 300, "-q", 1)
    assert_all_came(result, 300, 300)
    assert result["scenario"]["topic_alias"] is True


@pytest.mark.parametrize("args, words", (
    (("--payload", "{line}"), "{line}"), (("--payload", "@/nowhere"), "/nowhere"), (("--payload", "x", "--size", "50"), "--size"),
    (("--topic-alias", "-V", "311"), "MQTT 5"), (("-D", "publish", "topic-alias", "5"), "--topic-alias"),
), ids=str)
def test_payloads_and_aliases_that_cannot_be(args, words):
    assert_fails(mqbench("run", *args), 2, words)


# --- shared subscriptions and life cycles -----------------------------------------------------------

QUICKLY = ("--drain", "5s", "--threads", 2)


@pytest.fixture(params=("5", "311"))
def version(request):
    return ("-V", request.param)


def cycle(preset, broker, *options, code=0):
    return result_of(preset, *broker["tcp"].mq_args(), *QUICKLY, *options, code=code)


def assert_measured(result, **counts):
    assert {name: result["latency_ns"][name]["count"] for name in counts} == counts, result["latency_ns"].keys()


@pytest.mark.parametrize("wiring", ("shared", "sharesub-1K-5-1K-1K", "sharesub-50K-500-50K-50K"))
def test_a_shared_subscription_delivers_each_message_once(broker, wiring):
    result = cycle(wiring, broker, "--publishers", 7, "--subscribers", 3, "--count", 200, "--rate", "1000/s")
    assert_all_came(result, 200, 200)
    assert_measured(result, due_to_received=200)


def test_requests_are_answered_and_the_round_trip_is_measured(broker, version):
    for options in ((), ("-q", 1)):
        result = cycle("request-response", broker, *version, *options, "--publishers", 6, "--subscribers", 3, "--count", 120)
        assert_all_came(result, 120, 120)
        assert_measured(result, due_to_received=120, sent_to_received=120)


def test_subscriptions_come_and_go(broker, version):
    result = cycle("subscribe-churn", broker, *version, "--publishers", 5, "--count", 100)
    assert_all_came(result, 100, 100)
    assert_measured(result, due_to_received=100, subscribe=100)
    assert result["latency_ns"]["unsubscribe"]["count"] >= 95  # the last ones may be under way at the end


@pytest.mark.parametrize("preset", ("connect-storm", "conn-tcp-10K-100", "conn-tcp-1M-5K"))
def test_a_storm_of_connections(broker, version, preset):
    result = cycle(preset, broker, *version, "--publishers", 40, "--rate", "500/s")
    assert_all_came(result, 40, 40)
    assert_measured(result, connect=40, due_to_received=40)
    assert result["broker"]["version"] == {"5": "5.0", "311": "3.1.1"}[version[1]]


def test_a_storm_of_reconnections(broker, version):
    result = cycle("reconnect-storm", broker, *version, "--publishers", 40)
    assert_all_came(result, 40, 40)
    assert_measured(result, connect=80, due_to_received=40)


def test_a_client_reconnects_as_often_as_the_schedule_says(mqbroker):
    result = cycle("reconnect-storm", mqbroker, "--publishers", 3, "--count", 30, "--rate", "100/s", "--arrival", "fixed")
    assert_all_came(result, 30, 30)


def test_wills_are_counted_and_measured_from_the_cut(broker, version):
    result = cycle("will-storm", broker, *version, "--publishers", 30, "--subscribers", 2)
    assert_all_came(result, 30, 60)
    assert_measured(result, due_to_received=60, lag=30)
    assert 0 < result["latency_ns"]["due_to_received"]["max"] < 60e9


def test_retained_messages_are_measured_to_the_last_one_and_taken_back(broker, version):
    result = cycle("retained", broker, *version, "--publishers", 3, "--subscribers", 4, "--topics", "kept/{run}/{t:50}")
    assert_all_came(result, 50, 200)
    assert_measured(result, catch_up=4, subscribe=4)
    assert mqsub(*broker["tcp"].mq_args(), "-t", "kept/#", "--retained", "-W", 5).out == b""


def test_sessions_are_drained_and_nothing_is_lost(broker, version):
    result = cycle("resume", broker, *version, "--publishers", 2, "--subscribers", 4, "--count", 100)
    assert_all_came(result, 100, 200)
    assert_measured(result, catch_up=4)
    assert result["rates"]["received_per_second"] > 0
    assert not {"due_to_received", "sent_to_received"} & set(result["latency_ns"])


def test_slow_readers_show_in_what_the_others_see(broker, scratch):
    path = scratch / "slow.json"
    path.write_text('{"preset": "slow-reader", "subscribers": 4, "slow": 1}')
    result = cycle(path, broker, "--rate", "100/s", "--warmup", 0, "--duration", "1s")
    assert faults_of(result) == {}
    latency = result["latency_ns"]
    assert latency["undisturbed"]["count"] == 150 and latency["disturbed"]["count"] == 150
    assert latency["due_to_received"]["count"] == 300 and result["counts"]["received"] == 400


def test_refusals_are_counted_by_reason_and_fail_the_run():
    with FaultServer(faults.answer_connect(lambda version: wire.connack(version, 0x89))) as server:
        result = mqbench("run", "connect-storm", "-L", server.url, "--publishers", 8, "--json", "-", "--quiet")
    written = json.loads(result.out)
    assert (result.code, len(result.err_lines)) == (7, 1), result
    assert written["refusals"] == [{"reason": "Server busy", "count": 8}]
    assert (written["counts"]["sent"], written["counts"]["expected"], written["counts"]["lost"]) == (8, 0, 0)


def test_a_broker_that_is_not_there_is_counted_as_one_reason(scratch):
    result = mqbench("run", "connect-storm", "-h", "127.0.0.1", "-p", free_port(), "--publishers", 5, "--json", "-", "--quiet")
    assert result.code == 4, result
    assert json.loads(result.out)["refusals"] == [{"reason": "Connection refused", "count": 5}]


@pytest.mark.parametrize("args, words", (
    (("connect-storm", "--duration", "1s"), "once"), (("will-storm", "--rate", "max", "--arrival", "fixed"), "--arrival"),
    (("will-storm", "--topics", "x"), "topic of its own"), (("retained", "--count", "5"), "1000 topics"),
    (("resume", "-q", "0"), "QoS 1 and 2"), (("resume", "--duration", "1s"), "count"),
    (("request-response", "--subscribers", "0"), "answers"), (("slow-reader", "--subscribers", "5"), "slow readers"),
    (("shared", "--size", "5"), "stamp"), (("shared", "--shard", "1/2", "--rendezvous", "mqtt://h"), "one process"),
    (("quick", "--wiring", "shared", "--shard", "1/2", "--rendezvous", "mqtt://h"), "one process"),
    (("quick", "--slow", "10"), "(--slow)"), (("quick", "--wiring", "ring"), "--wiring"),
), ids=str)
def test_life_cycles_that_cannot_be(args, words):
    assert_fails(mqbench("run", *args), 2, words)


def test_wiring_and_slow_readers_are_options_too(mqbroker):
    tcp = mqbroker["tcp"].mq_args()
    few = ("--publishers", 2, "--subscribers", 3, "-q", 1)
    for wiring, received in (("all", 60), ("shared", 20), ("pairs", 30)):
        result = result_of("quick", *tcp, *few, "--wiring", wiring, "--count", 20)
        assert_all_came(result, 20, received)
        assert result["scenario"]["wiring"] == wiring
    scenario = result_of("fan-out", *tcp, *few, "--slow", 1, "--rate", "50/s", "--warmup", 0, "--duration", "200ms")["scenario"]
    assert (scenario["slow"], scenario["name"]) == (1, "fan-out")


def test_each_client_of_a_load_authenticates_by_scram(tmp_path):
    """Each has an exchange of its own, and at the same time as others; a wrong password keeps all out."""
    users, word = tmp_path / "users", {"WORD": "pencil"}
    assert_ok(run([program("mqbroker"), "passwd", users, "joe", "--password-env", "WORD"], env=word))
    with MqBroker(options=("--password-file", users)) as broker:
        args = ("run", "pairs", *broker["tcp"].mq_args(), "--publishers", 8, "--subscribers", 8, "--ramp", "1000/s", "--count", 40, "-q",
                1, "--threads", 2, "--scram-user", "joe", "--auth-method",
                "SCRAM-SHA-512", "--password-env", "WORD", "--json", "-", "--quiet")
        result = mqbench(*args, env=word)
        assert result.code == 0, result
        assert_all_came(json.loads(result.out), 40, 40)
        assert_fails(mqbench(*args, env={"WORD": "Bleistift"}), 6, "not authorized")
        # Each run of a search logs in anew, and so does each connection of verify that was cut.
        login = (*broker["tcp"].mq_args(), "--scram-user", "joe", "--auth-method", "SCRAM-SHA-512", "--password-env", "WORD",
                 "--json", "-", "--quiet")
        search = ("search", "pairs", *login, "--publishers", 2, "--subscribers", 2, "--rate", "100/s", "--count", 10, "--steps", 2)
        verify = ("verify", *login, "-q", 1, "--count", 100, "--rate", "200/s", "--faults", "cut", "--fault-rate", "40/s")
        found = mqbench(*search, env=word)
        assert found.code in (0, 13) and json.loads(found.out)["steps"], found
        kept = mqbench(*verify, env=word)
        assert kept.code == 0 and json.loads(kept.out)["faults"]["cut"] > 0, kept
        for args in (search, verify):
            assert_fails(mqbench(*args, env={"WORD": "Bleistift"}), 6, "not authorized")


# --- several brokers --------------------------------------------------------------------------------

def test_each_half_can_have_brokers_of_its_own(mqbroker):
    """All are one broker here, by several addresses and schemes."""
    urls = {name: mqbroker[name].url for name in ("tcp", "ws", "unix")}
    result = result_of("pairs", "--publishers", 4, "--subscribers", 4, "--count", 40, "-q", 1, "--broker", urls["tcp"],
                       "--broker", urls["ws"], "--publish-to", urls["unix"])
    assert_all_came(result, 40, 40)
    assert result["latency_ns"]["websocket"]["count"] == 2  # every other subscriber
    assert result["broker"]["address"].count(",") == 2


def test_one_of_several_brokers_that_is_not_there_is_one_line_and_4(mqbroker):
    port = free_port()
    result = mqbench("run", "pairs", "--broker", mqbroker["tcp"].url, "--broker", f"mqtt://127.0.0.1:{port}", "--quiet")
    assert_fails(result, 4, f"127.0.0.1:{port}", "refused")


def test_a_broker_url_with_a_topic_is_refused():
    assert_fails(mqbench("run", "--broker", "mqtt://h/t"), 2, "--broker", "topic")


@pytest.mark.parametrize("args, words", (
    (("--broker", "mqtt://h", "-h", "x"), "--broker"), (("--broker", "mqtt://h", "-L", "mqtt://x"), "--broker"),
    (("--broker", "mqtt://h", "--self"), "--broker"), (("--publish-to", "mqtt://h", "--self"), "--publish-to"),
    (("--size", "16", "--threshold", "p99<5ms"), "stamp"), (("--size", "16", "--threshold", "sent_to_received.max<1s"), "stamp"),
), ids=str)
def test_what_contradicts_itself_is_refused(args, words):
    assert_fails(mqbench("run", *args), 2, words)
    if "--threshold" in args:
        assert_fails(mqbench("search", *(each.replace("--threshold", "--slo") for each in args)), 2, words)
