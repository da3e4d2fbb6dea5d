"""mqbench --shard and --rendezvous: several processes that do one run, and what starts them on several machines."""

import contextlib
import functools
import json
import os
import pathlib
import re
import signal
import tempfile

import pytest
import yaml

from support.brokers import Mosquitto
from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.ports import HOST, free_port
from support.proc import Proc, run
from support.relay import Relay
from support.result_schema import validated
from support.starters import Slurm, SshHosts
from support.tools import assert_fails, assert_ok, mqbench, mqpub, program, start, unique

FAULTS = ("lost", "duplicated", "reordered", "corrupted", "foreign", "retained", "connections_lost", "unsent", "unacked")
RANKS = ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMI_SIZE", "SLURM_PROCID", "SLURM_NTASKS",
         "JOB_COMPLETION_INDEX", "PARALLEL_SEQ", "MQBENCH_SHARDS")
SECONDS = 90


@pytest.fixture(scope="module")
def broker(certs):
    with MqBroker(certs, ("tcp", "tls", "ws")) as broker:
        yield broker


@pytest.fixture(scope="module")
def rendezvous():
    with Mosquitto() as broker:
        yield broker


def shard_args(broker, *options, name, rendezvous=None):
    return ["run", "fan-in", *broker["tcp"].mq_args(), "--publishers", 7, "--subscribers", 2, "--rendezvous",
            (rendezvous or broker)["tcp"].url, "--run", name, "--rendezvous-timeout", "60s", *options]


@contextlib.contextmanager
def shards(count, broker, scratch, *options, rendezvous=None):
    """The running processes, and where each one's result will be."""
    name = unique("run")
    paths = [scratch / f"{n}.json" for n in range(1, count + 1)]
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(start("mqbench", *shard_args(
            broker, *options, "--shard", f"{n}/{count}", "--json", path, name=name, rendezvous=rendezvous)))
            for n, path in enumerate(paths, 1)], paths


def results_of(running, paths, code=0):
    for each in running:
        result = each.wait(SECONDS)
        assert result.code == code, result
    return [validated(json.loads(path.read_text())) for path in paths]


def sum_of(results, name):
    return sum(result["counts"][name] for result in results)


def assert_whole(results, sent, subscribers=2):
    """Together they are the run as one process would have done it: nothing lost, nothing doubled."""
    assert (sum_of(results, "sent"), sum_of(results, "received"), sum_of(results, "expected")) == (
        sent, sent * subscribers, sent * subscribers)
    assert {name: sum_of(results, name) for name in FAULTS} == dict.fromkeys(FAULTS, 0)
    assert len({result["run"] for result in results}) == 1
    assert len({result["started"] for result in results}) == 1
    for index, result in enumerate(results):
        assert result["shard"] == {"index": index + 1, "count": len(results), "complete": True}
        # All of them are on this machine, and so have one clock.
        assert abs(result["clock"]["offset_ns"]) <= result["clock"]["error_ns"] <= result["clock"]["latency_error_ns"]


# --- one run of several processes -----------------------------------------------------------------

@pytest.mark.parametrize("qos", (0, 2))
def test_three_shards_are_one_run(broker, rendezvous, scratch, qos):
    with shards(3, broker, scratch, "--rate", "1400/s", "--count", 1400, "-q", qos, rendezvous=rendezvous) as (running, paths):
        results = results_of(running, paths)
    assert_whole(results, 1400)
    # Publishers 0 to 6 in turn, and subscribers 0 and 1: the third has none, and judges nothing.
    assert [result["counts"]["sent"] for result in results] == [600, 400, 400]
    assert [result["counts"]["received"] for result in results] == [1400, 1400, 0]
    # The k-th message is due at k times the interval, whoever sends it; publisher n begins with message n.
    assert [result["times_ns"]["first_due"] for result in results] == [0, 714286, 1428571]
    assert sum(result["latency_ns"].get("due_to_received", {}).get("count", 0) for result in results) == 2800


def test_a_closed_loop_of_shards(broker, scratch):
    with shards(2, broker, scratch, "--rate", "max", "-q", 1, "--window", 5, "--count", 700) as (running, paths):
        assert_whole(results_of(running, paths), 700)


def test_streams_of_several_topics_each(broker, scratch):
    with shards(2, broker, scratch, "--count", 700, "--topics", 17) as (running, paths):
        assert_whole(results_of(running, paths), 700)


def test_losses_are_judged_over_all_shards(rendezvous, scratch):
    """The only subscriber is the first shard's, and the second has one of the two publishers: of every ten messages one
    is lost, whoever sent it."""
    for drain in ("500ms", "30s"):  # what a stalled machine delivers later than that is a loss, too
        with Relay(lambda n, payload: [] if n % 10 == 3 else [payload]) as relay:
            args = ["run", "fan-in", "-L", relay.url, "--publishers", 2, "--subscribers", 1, "--count", 200, "--rate", "400/s",
                    "--drain", drain, "-q", "1:0", "--rendezvous", rendezvous["tcp"].url, "--run", unique("run")]
            paths = [scratch / "1.json", scratch / "2.json"]
            with start("mqbench", *args, "--shard", "1/2", "--json", paths[0]) as first, \
                    start("mqbench", *args, "--shard", "2/2", "--json", paths[1]) as second:
                results = results_of((first, second), paths)
        if sum_of(results, "lost") == 20:
            break
    assert [result["counts"]["sent"] for result in results] == [100, 100]
    assert [result["counts"]["lost"] for result in results] == [20, 0]


def test_a_stop_of_one_stops_all(broker, scratch):
    with shards(3, broker, scratch, "--duration", "1h") as (running, paths):
        for each in running:
            each.wait_err(b"delivered", SECONDS)
        running[1].kill(signal.SIGINT)
        codes = [each.wait(SECONDS).code for each in running]
    assert codes == [0, 128 + signal.SIGINT, 0]
    results = [json.loads(path.read_text()) for path in paths]
    assert_whole(results, sum_of(results, "sent"))
    assert sum_of(results, "sent") > 0 and [each["interrupted"] for each in results] == [False, True, False]


@pytest.mark.parametrize("dead", (1, 2))
def test_one_that_is_killed_ends_the_others_with_a_line_and_their_results(broker, scratch, dead):
    with shards(3, broker, scratch, "--duration", "1h") as (running, paths):
        for each in running:
            each.wait_err(b"delivered", SECONDS)
        running[dead - 1].kill(signal.SIGKILL)
        others = [n for n in (1, 2, 3) if n != dead]
        for n in others:
            result = running[n - 1].wait(SECONDS)
            assert (result.code, f"shard {dead}/3 has gone" in result.err_lines[-1]) == (8, True), result
    results = [json.loads(paths[n - 1].read_text()) for n in others]
    for n, result in zip(others, results):
        assert (result["shard"], result["counts"]["sent"] > 0) == ({"index": n, "count": 3, "complete": False}, True)
        assert any("ended early" in note and f"shard {dead}/3 has gone" in note for note in result["notes"]), result["notes"]
    whole = scratch / "all.json"
    merge = mqbench("merge", *(paths[n - 1] for n in others), "-o", whole)
    assert merge.code == 0 and f"2 of 3 parts are there, but not {dead}/3" in merge.err_text, merge
    assert "{}/3, {}/3 ended before the others had told".format(*others) in merge.err_text, merge
    assert json.loads(whole.read_text())["counts"]["sent"] == sum_of(results, "sent")


def test_a_rendezvous_that_ends_while_shards_are_awaited_ends_them(broker):
    with Mosquitto() as meeting, start("mqbench", *shard_args(broker, "--shard", "1/3", name="x", rendezvous=meeting)) as first, \
            start("mqbench", *shard_args(broker, "--shard", "2/3", name="x", rendezvous=meeting)) as second:
        first.wait_err(b"2 of 3 shards")
        second.wait_err(b"2 of 3 shards")
        meeting.stop()
        for each in (first, second):
            result = each.wait(SECONDS)
            assert result.code == 8 and "the rendezvous: " in result.err_lines[-1] and result.out == b"", result


def test_a_rendezvous_that_lets_nobody_in_is_left_in_time():
    def script(connection):
        connection.accept()
        connection.drain()
    with FaultServer(script) as server:
        result = mqbench("run", "--shard", "1/2", "--rendezvous", server.url, "--rendezvous-timeout", "500ms", "--quiet")
    assert_fails(result, 9, "the rendezvous", "within 500ms")


def test_a_rendezvous_that_ends_ends_the_run(broker, scratch):
    with Mosquitto() as meeting, shards(2, broker, scratch, "--duration", "1h", rendezvous=meeting) as (running, paths):
        for each in running:
            each.wait_err(b"delivered", SECONDS)
        meeting.stop()
        for each in running:
            result = each.wait(SECONDS)
            # The broker may have published the other's Will before it closed our connection.
            last = result.err_lines[-1]
            assert result.code == 8 and ("the rendezvous: " in last or " has gone" in last), result
    assert all(path.exists() for path in paths)


def test_clients_that_cannot_connect_end_all_shards(rendezvous):
    name, port = unique("run"), free_port()
    args = ["run", "-h", HOST, "-p", port, "--rendezvous", rendezvous["tcp"].url, "--run", name, "--shard"]
    with start("mqbench", *args, "1/2") as first, start("mqbench", *args, "2/2") as second:
        for each in (first, second):
            result = each.wait(SECONDS)
            assert result.code in (4, 8) and result.out == b"", result


# --- that cannot come together --------------------------------------------------------------------

def test_who_is_missing_is_named_by_all_when_the_first_waits_no_longer(broker):
    name = unique("run")
    with start("mqbench", *shard_args(broker, "--shard", "3/4", "--rendezvous-timeout", "10m", name=name)) as third:
        for patience in ("1s", "60s"):  # a busy machine may need longer to let the third one meet the first
            with start("mqbench", *shard_args(broker, "--rendezvous-timeout", patience, "--shard", "1/4", name=name)) as first:
                result = first.wait(SECONDS)
            if b"2 of 4 shards of" in result.err:
                break
        other = third.wait(SECONDS)
    assert (result.code, result.err_lines[-1]) == (
        9, f"mqbench: run '{name}': 2 of 4 shards have not come in {patience}: 2/4, 4/4"), result
    assert (other.code, other.err_lines[-1]) == (
        9, f"mqbench: run '{name}': 2 of 4 shards have not come while shard 1/4 waited: 2/4, 4/4"), other


def test_a_missing_first_shard_is_named(broker):
    result = mqbench(*shard_args(broker, "--rendezvous-timeout", "1s", "--shard", "2/2", "--quiet", name=unique("run")))
    assert_fails(result, 9, "shard 1/2, for which all others wait")


def test_the_same_shard_twice_and_another_scenario_are_refused(broker):
    name = unique("run")
    patient = ("--rendezvous-timeout", "10m")
    with start("mqbench", *shard_args(broker, "--shard", "1/3", *patient, name=name)) as first, \
            start("mqbench", *shard_args(broker, "--shard", "2/3", *patient, name=name)):
        first.wait_err(f"2 of 3 shards of run '{name}' have come".encode(), SECONDS)
        for options, words in ((("--shard", "2/3"), "shard 2/3 of it already"), (("--shard", "3/4"), "another count than 4"),
                               (("--shard", "3/3", "--size", "200"), "another scenario")):
            assert_fails(mqbench(*shard_args(broker, *options, "--quiet", name=name), seconds=SECONDS), 2, words)


def test_what_a_broker_has_kept_of_another_rendezvous_does_not_matter(broker, scratch):
    name = unique("run")
    for topic in ("all", "1", "2"):
        message = f"mqbench1 begin 0 {7:016x} 77"
        assert mqpub(*broker["tcp"].mq_args(), "-r", "-t", f"mqbench-rendezvous/{name}/{topic}", "-m", message).code == 0
    args = shard_args(broker, "--count", 70, name=name)
    paths = [scratch / "1.json", scratch / "2.json"]
    with start("mqbench", *args, "--shard", "1/2", "--json", paths[0]) as first, \
            start("mqbench", *args, "--shard", "2/2", "--json", paths[1]) as second:
        assert_whole(results_of((first, second), paths), 70)


def test_a_rendezvous_that_is_not_there_is_4(broker):
    result = mqbench(*shard_args(broker, "--shard", "1/2", "--quiet", name="x"), "--rendezvous", f"mqtt://{HOST}:{free_port()}")
    assert_fails(result, 4, "rendezvous", "refused")


# --- what is typed --------------------------------------------------------------------------------

@pytest.mark.parametrize("args, words", (
    (("--shard", "0/3", "--rendezvous", "mqtt://h"), "0/3"), (("--shard", "3", "--rendezvous", "mqtt://h"), "'3'"), (("--shard", "1/2"), "--rendezvous"),
    (("--rendezvous", "mqtt://h"), "--shard"), (("--shard", "1/2", "--rendezvous", "nowhere"), "--rendezvous"),
    (("--shard", "1/2", "--rendezvous", "mqtt://h/topic"), "topic"),
    (("--shard", "1/2", "--rendezvous", "mqtt://h", "--run", "a/b"), "--run"),
    (("--shard", "1/2", "--rendezvous", "mqtt://h", "--rendezvous-timeout", "0"), "--rendezvous-timeout"),
    (("--shard", "3/3", "--rendezvous", "mqtt://h", "--publishers", "2", "--subscribers", "1"), "no client"),
), ids=" ".join)
def test_usage_errors_are_2_and_one_line(args, words):
    assert_fails(mqbench("run", *args), 2, words)


def environment(**variables):
    return {name: value for name, value in os.environ.items() if name not in RANKS} | variables


@pytest.mark.parametrize("variables, words", (
    ({}, "SLURM_PROCID with SLURM_NTASKS"), ({"SLURM_PROCID": "1"}, "SLURM_NTASKS is not set"),
    ({"JOB_COMPLETION_INDEX": "0"}, "MQBENCH_SHARDS is not set"), ({"PARALLEL_SEQ": "1"}, "MQBENCH_SHARDS is not set"),
    ({"PMI_RANK": "3", "PMI_SIZE": "3"}, "PMI_RANK=3"),
    ({"PMI_RANK": "1", "PMI_SIZE": "3", "SLURM_PROCID": "0", "SLURM_NTASKS": "3"}, "do not say the same"),
), ids=str)
def test_an_environment_that_says_no_shard_is_2_and_says_what_was_looked_for(variables, words):
    result = mqbench("run", "--shard", "auto", "--rendezvous", "mqtt://h", env=environment(**variables))
    assert_fails(result, 2, words)


@pytest.mark.parametrize("rank, count, first", (
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", 0), ("PMI_RANK", "PMI_SIZE", 0), ("JOB_COMPLETION_INDEX", "MQBENCH_SHARDS", 0),
    ("PARALLEL_SEQ", "MQBENCH_SHARDS", 1), ("SLURM_PROCID", "SLURM_NTASKS", 0),
))
def test_auto_takes_the_variables_of_each_starter(broker, scratch, rank, count, first):
    args = shard_args(broker, "--count", 70, "--shard", "auto", name=unique("run"))
    paths = [scratch / "1.json", scratch / "2.json"]
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(start("mqbench", *args, "--json", path, env=environment(**{rank: str(first + n), count: "2"})))
                   for n, path in enumerate(paths)]
        assert_whole(results_of(running, paths), 70)


# --- what starts them -----------------------------------------------------------------------------

def merged(directory, count):
    """The results in the directory, put together by mqbench merge; and one by one they are a whole."""
    paths = [directory / f"result-{n}.json" for n in range(1, count + 1)]
    results = [json.loads(path.read_text()) for path in paths]
    whole = directory / "all.json"
    assert_ok(mqbench("merge", *paths, "-o", whole))
    return results, validated(json.loads(whole.read_text()))


def assert_merged(directory, count, sent):
    results, whole = merged(directory, count)
    assert_whole(results, sent)
    assert (whole["counts"]["sent"], whole["counts"]["received"], whole["counts"]["lost"]) == (sent, 2 * sent, 0)
    assert whole["latency_ns"]["due_to_received"]["count"] == 2 * sent


@functools.cache
def links():
    """A directory that goes when the tests have ended."""
    return tempfile.TemporaryDirectory(prefix="mqbench-")


def mqbench_for_shells():
    """The program by a path that no shell takes for two words, however often the line is handed on."""
    path = pathlib.Path(links().name) / "mqbench"
    if not path.exists():
        path.symlink_to(program("mqbench"))
    return path


def command(broker, directory, *, shard, number):
    """One line for a shell; `number` is how the shell calls the shard's own."""
    args = shard_args(broker, "--count", 700, "--shard", shard, "--quiet", name=unique("run"))
    return " ".join([*map(str, [mqbench_for_shells(), *args]), "--json", f"{directory}/result-{number}.json"])


@pytest.fixture(scope="module")
def hosts():
    with SshHosts(3) as hosts:
        yield hosts


def test_gnu_parallel_over_ssh(broker, hosts, scratch):
    """As the manual says it, but with --shard auto."""
    line = command(broker, scratch, shard="auto", number="{}")
    done = run(["parallel", "--will-cite", "-j1", "-S", ",".join(hosts.addresses), "MQBENCH_SHARDS=3 " + line, ":::", "1", "2", "3"],
               env=environment(**hosts.environment), seconds=SECONDS)
    assert done.code == 0, done
    assert_merged(scratch, 3, 700)


@pytest.fixture(scope="module")
def slurm():
    with Slurm() as slurm:
        yield slurm


# More processes than processors, and as root, is what Open MPI wants to be told.
MPI_AS_ANYBODY = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1"}


# --- the recipes of the manual, as they are printed -----------------------------------------------

MANUAL = pathlib.Path(__file__).resolve().parents[2] / "man" / "mqbench.1"


def recipe(heading):
    """The literal text below the heading, as a reader sees it."""
    text = MANUAL.read_text(encoding="utf-8").split(f".Ss {heading}\n")[1]
    return text.split(".Bd -literal -offset indent\n")[1].split(".Ed\n")[0].replace("\\e\n", "\\\n")


def here(text, broker):
    """With our broker instead of the one called broker, fewer clients, and the program that is under test."""
    text = text.replace("-h broker", " ".join(map(str, broker["tcp"].mq_args()))).replace("mqtt://broker", broker["tcp"].url)
    text = text.replace("fan-in", "fan-in --publishers 7 --subscribers 2 --count 700")
    return re.sub(r"\bmqbench (run|merge)", rf"{mqbench_for_shells()} \1", text)


def assert_recipe(text, broker, directory, **variables):
    done = run(["sh", "-e", "-c", here(text, broker)], cwd=directory, env=environment(**variables), seconds=2 * SECONDS)
    assert done.code == 0, done
    counts = json.loads((directory / "all.json").read_text())["counts"]
    assert (counts["sent"], counts["received"], counts["lost"]) == (700, 1400, 0)


def test_the_recipe_for_gnu_parallel(broker, hosts, scratch):
    text = recipe("GNU parallel, over ssh").replace("host1,host2,host3", ",".join(hosts.addresses))
    assert_recipe(text, broker, scratch, **hosts.environment)


def test_the_recipe_for_slurm(broker, slurm, scratch):
    assert_recipe(recipe("Slurm"), broker, scratch, **slurm.environment)


def test_the_recipe_for_mpi(broker, scratch):
    assert_recipe(recipe("MPI"), broker, scratch, **MPI_AS_ANYBODY)


def test_the_manifest_for_kubernetes(broker, scratch):
    """As the pods would be started, with what Kubernetes sets in each."""
    job = yaml.safe_load(recipe("Kubernetes"))["spec"]
    container = job["template"]["spec"]["containers"][0]
    own = {each["name"]: each["value"] for each in container["env"]}
    line = here(" ".join(container["command"]), broker)
    with contextlib.ExitStack() as stack:
        pods = [stack.enter_context(Proc(line.split(), env=environment(**own, JOB_COMPLETION_INDEX=str(n))))
                for n in range(job["completions"])]
        outcomes = [pod.wait(SECONDS) for pod in pods]
    assert [each.code for each in outcomes] == [0, 0, 0], outcomes
    assert_whole([json.loads(each.out) for each in outcomes], 700)
