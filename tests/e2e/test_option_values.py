"""Every option of --help: a wrong value is one line and exit 2, and some other test shows what a right one does.

The options are those of --help itself, so that a new one fails here until it has its row and its test.
"""

import ast
import pathlib
import re
import shlex

import pytest

from support.option_records import all_records, main_name
from support.proc import run
from support.tools import assert_fails, assert_ok, program

HERE = pathlib.Path(__file__).resolve().parent
PLAIN = {"mqpub": ("-t", "t", "-m", "x"), "mqsub": ("-t", "t"), "mqreq": ("-t", "t", "-m", "x"), "mqspy": ("read", "f"),
         "mqbench": ("run",)}
NO_UTF_8 = b"\xff".decode("utf-8", "surrogateescape")

# By the longest name of the option: what it is given, and what it needs besides. A value with '=' is joined to the name.
WRONG = {
    # what is sent
    "--topic": "a/#/b", "--qos": "3", "--file": "", "--dir": "", "--repeat": "0", "--repeat-delay": "1x",
    "--delimiter": "", "--rate": "fast", "--summary": "xml", "--spool": "", "--topic-template": "{no}",
    "--payload-template": "{no}", "--replay": "", "--speed": ("0", "--replay", "f"), "--loop": ("=x", "--replay", "f"),
    # what is subscribed to, chosen and written
    "--sub": "qos=3:a", "--retain-handling": "sometimes", "--unsubscribe": "a#", "--filter-out": "a#", "--every": "0",
    "--sample": "2", "--random-filter": "101", "--format": "%", "--json": "=xml", "--decode": "a=nothing",
    "--count": "1x", "--timeout": "soon", "--idle-timeout": "0", "--expect": "x", "--stats": "=0", "--exec": "",
    "--exec-jobs": ("0", "--exec", "true"), "--exec-timeout": ("0", "--exec", "true"), "--exec-failure": ("maybe", "--exec", "true"), "--record": "",
    "--retained-backup": "", "--retained-diff": "", "--response-topic": "a/+", "--replies": "0",
    # the connection
    "--url": "gopher://x", "--host": "a,,b", "--port": "65536", "--unix": "", "--resolve": "a", "--proxy": "socks4://x",
    "--bind": "localhost", "--interface": "none0", "--connect-timeout": "0", "--retry-max": "0",
    "--retry-delay": "2s..1s", "--username": NO_UTF_8, "--password-file": "", "--password-env": "",
    "--password-cmd": "", "--id": NO_UTF_8, "--id-prefix": NO_UTF_8, "--session-expiry-interval": "1ms",
    "--keepalive": "65536", "--max-inflight": "0", "--protocol-version": "4", "--property": ("connect", "none", "1"),
    "--will-topic": "a/+", "--will-qos": ("3", "--will-topic", "w"), "--ws-path": "mqtt", "--ws-header": "a b:c",
    "--auth-method": "", "--auth-data": ("base64:*", "--auth-method", "M"), "--scram-user": "", "--token-file": "",
    "--token-env": "", "--token-cmd": "", "--token-lifetime": ("0", "--token-file", "f"),
    # TLS
    "--cafile": "/nowhere", "--capath": "/nowhere", "--pin-sha256": "AAAA", "--cert": ("/nowhere", "--key", "/nowhere"),
    "--key": ("/nowhere", "--cert", "/nowhere"), "--keypass-file": "", "--keypass-env": "", "--keypass-cmd": "",
    "--pkcs12": "/nowhere", "--psk": ("xyz", "--psk-identity", "i"), "--psk-file": ("", "--psk-identity", "i"),
    "--psk-env": ("", "--psk-identity", "i"), "--psk-cmd": ("", "--psk-identity", "i"), "--psk-identity": "i",
    "--tls-version": "1.1", "--ciphers": "NONE", "--tls-ciphersuites": "NONE", "--tls-alpn": "a,,b", "--sni": "",
    "--tls-keylog": "/nowhere/log",
    # files and words
    "--profile": "a/b", "--config": "/nowhere", "--options-file": "/nowhere", "--log-format": "xml", "--color": "red",
}
# Where a name means something else, and the options of one tool.
WRONG_OF = {"mqspy": {
    "--listen": "gopher://x", "--to": "gopher://x", "--ready-fd": "-1", "--ca-out": "", "--to-cert": ("/nowhere", "--to-key", "/nowhere"),
    "--to-key": ("/nowhere", "--to-cert", "/nowhere"), "--fault": "qos>0 do nothing", "--seed": "x", "--filter": "qoss>0", "--stop-on": "qoss>0",
    "--expect": "qos>0 within soon", "--from": "nobody", "--snippet": "x", "--time": "never", "--write": "",
    "--pcap-style": ("udp", "--write", "f"), "--conn": "", "--interface": "", "--speed": "0", "--answer-timeout": "0",
}, "mqbench": {
    "--publishers": "0", "--subscribers": "-1", "--wiring": "ring", "--slow": "x", "--topics": "{no}", "--size": "0..x",
    "--payload": "{no}", "--window": "0", "--arrival": "burst:0", "--ramp": "0", "--scale": "0", "--broker": "gopher://x",
    "--publish-to": "gopher://x", "--subscribe-from": "mqtt://x/topic", "--warmup": "soon", "--duration": "0", "--drain": "1x",
    "--threads": "0", "--source": "localhost", "--seed": "x", "--json": "", "--csv": "", "--hdr": "", "--threshold": "p99",
    "--watch-pid": "0", "--progress": "loud", "--prometheus": "localhost:1", "--slo": "p99", "--first": "0", "--lowest": "0",
    "--highest": "x", "--precision": "0%", "--steps": "0", "--repeats": "101", "--faults": "fire", "--fault-rate": "0",
    "--fault-time": "1x", "--late": "1x", "--shard": ("3/2", "--rendezvous", "mqtt://x"),
    "--rendezvous": ("gopher://x", "--shard", "1/2"), "--run": ("a/b", "--shard", "1/2", "--rendezvous", "mqtt://x"),
    "--rendezvous-timeout": ("0", "--shard", "1/2", "--rendezvous", "mqtt://x"),
}}
# The options of a command that is not the plain one.
COMMANDS = {"mqspy": {"Proxy": ("proxy", "--listen", "mqtts://127.0.0.1:0", "--to", "mqtts://127.0.0.1:1"),
                      "Faults": ("proxy", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1"),
                      "Server": ("proxy", "--listen", "mqtts://127.0.0.1:0", "--to", "mqtts://127.0.0.1:1"),
                      "Replay": ("replay", "f", "--to", "127.0.0.1:1"), "Reading": ("decode", "3000")},
            "mqbench": {"Search": ("search",), "Verification": ("verify",)}}
# Bytes of any kind are right.
ANY_VALUE = {"--message", "--password", "--will-payload", "--no-proxy", "--rewrite", "--ladder"}
# What the plain command line gives already, or what would be wrong beside the option for a reason of its own.
NOT_BESIDE = {"-t": {"--topic", "--topic-template"},
              "--listen": {"--listen"}, "--to": {"--to"},
              "-m": {"--file", "--dir", "--delimiter", "--payload-template", "--replay", "--speed", "--loop"}}


def options_of(tool):
    """{the longest name: (all names, what stands behind them in --help, the group)}"""
    text = assert_ok(run([program(tool), "--help"])).out.decode()
    found, group = {}, ""
    for title, line in re.findall(r"(?m)^(?:(\S.*):| {2,6}(-\S.*))$", text.split("\nExamples:")[0]):
        if title:
            group = title
            continue
        names, value = re.match(r"((?:--?[A-Za-z0-9][a-z0-9-]*(?:, )?)+)(\[=.*?\]| \S+)?", line).groups()
        names = names.split(", ")
        found[max(names, key=len)] = (names, value, group)
    assert len(found) > 40, text
    return found


def wrong_of(tool):
    return WRONG | WRONG_OF.get(tool, {})


def command_line(tool, option, group):
    """The plainest one of the tool with the option's wrong value."""
    wrong = wrong_of(tool)[option]
    value, *more = wrong if isinstance(wrong, tuple) else (wrong,)
    words = list(COMMANDS.get(tool, {}).get(group, PLAIN[tool]))
    command = [words.pop(0)] if len(words) % 2 else []
    plain = command + [word for at in range(0, len(words), 2) if option not in NOT_BESIDE.get(words[at], ())
                       for word in words[at: at + 2]]
    return [program(tool), *plain, *([option + value] if value.startswith("=") else [option, value]), *more]


@pytest.fixture(params=PLAIN)
def tool(request):
    return request.param


def test_every_option_that_takes_a_value_has_a_wrong_one(tool):
    with_value = {name for name, (_, value, _) in options_of(tool).items() if value}
    missing = with_value - set(wrong_of(tool)) - ANY_VALUE
    assert not missing, f"add a row for {missing}"


def test_a_wrong_value_is_2_and_one_line_that_names_it_or_its_option(tool):
    options = options_of(tool)
    for option in options.keys() & wrong_of(tool).keys() - ANY_VALUE:
        if not options[option][1]:
            continue  # a flag of this tool, whatever it is elsewhere
        argv = command_line(tool, option, options[option][2])
        result = assert_fails(run(argv, seconds=5), 2)
        value = argv[argv.index(option) + 1] if option in argv else option
        assert any(name in result.err_text for name in [value or option, *options[option][0]]), result


def test_a_default_is_said_once(tool):
    text = assert_ok(run([program(tool), "--help"])).out.decode()
    assert not re.findall(r"\(default: [^()]*\)\s+\(default: ", text)


def test_a_flag_takes_no_value(tool):
    for option, (_, value, _) in options_of(tool).items():
        if value is None and option.startswith("--") and option not in ("--help", "--version"):
            assert_fails(run([program(tool), *PLAIN[tool], f"{option}=1"], seconds=5), 2, option)


# --- what right values do -------------------------------------------------------------------------------

# Where a name stands without being used: tables of names, and of wrong uses.
NO_USES = re.compile(r"WRONG|USAGE|OPTIONS|ABSENT|wrong|usage|_(is|are)_2(_|$)")


def words_used():
    """The words that begin with '-' in the literals of all suites but this one, without '=VALUE'."""
    words = set()
    for file in HERE.glob("test_*.py"):
        if file.name == pathlib.Path(__file__).name:
            continue
        for node in ast.parse(file.read_text()).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else node
            if NO_USES.search(getattr(target, "id", getattr(target, "name", ""))):
                continue
            for literal in ast.walk(node):
                if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
                    words |= {word.split("=")[0] for word in literal.value.split() if word.startswith("-")}
    return words


def test_every_option_is_used_by_another_test(tool):
    words = words_used()
    unused = {option for option, (names, _, _) in options_of(tool).items() if not words & set(names)}
    assert not unused, unused


# Of options of some commands: a right value by its kind, or by its name.
RIGHT = {"number": "1", "duration": "1s", "size": "1", "FILE": "f", "DIR": "d", "URL": "mqtt://127.0.0.1", "SELECTOR": "qos>0", "LOAD": "1", "EXPR": "p99<5ms",
         "HOW": "fixed", "LIST": "cut", "RULE": "qos>0 do drop", "PERCENT": "5%", "NAME": "x", "ADDR": "127.0.0.1:1", "COMMAND": "true", "X|max": "max"}


def right_words(option, options):
    """The option with a right value, or as its example has it, and what it needs."""
    names, kind = option["names"], option["kind"]
    value = RIGHT.get(kind) or RIGHT.get(option["metavar"])
    if kind == "none" or option["implied"]:
        words = [main_name(option)]
    elif option["examples"] and kind not in RIGHT:
        words = shlex.split(option["examples"][0])
    else:
        words = [main_name(option), (option["choices"] or [value])[0]]
    others = {name: other for name, other in options.items() if name not in names}
    return sum([right_words(options[name], others) for name in option["needs"] if name in others], words)


@pytest.mark.parametrize("tool, commands", [("mqspy", {"proxy", "read", "capture", "lint", "replay", "decode", "explain"}),
                                            ("mqbench", {"run", "search", "verify", "list"})])
def test_a_command_refuses_the_options_of_others(tool, commands):
    """What such an option needs is of others as well, and may be named in its place."""
    options = {main_name(option): option for option in all_records()[tool]["options"]}
    restricted = [option for option in options.values() if option["commands"]]
    assert len(restricted) > 30
    for option in restricted:
        takers = set(option["commands"])
        assert takers < commands, option
        other = min(commands - takers)
        assert_fails(run([program(tool), other, *right_words(option, options)]), 2, f"' is for {tool} {option['commands'][0]}", f", not for {other}")
