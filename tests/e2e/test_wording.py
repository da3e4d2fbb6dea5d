"""One language everywhere: the same option has the same words in all programs, one thing has one name, and all is spelt."""

import collections
import json
import pathlib
import re
import subprocess

import pytest

from support.option_records import all_records, main_name, shown_options

ROOT = pathlib.Path(__file__).parents[2]
WORDS = set((ROOT / "tests" / "e2e" / "words.txt").read_text(encoding="utf-8").split())

# Options that have other words in some programs, and why they may.
DIFFERENT = {
    "mqbroker or mqspy is the server there, or stands between": {
        "--cafile", "--capath", "--cert", "--key", "--keypass-file", "--keypass-env", "--keypass-cmd", "--keypass-prompt", "--psk-file",
        "--connect-timeout", "--host", "--port", "--max-inflight", "--password-file", "--insecure", "--sni", "--listen"},
    "each program does its own thing with the same kind of thing": {
        "--file", "--null-message", "--qos", "--retain-as-published", "--timeout", "--topic", "--verbose", "-R", "--seed", "--json", "--threads",
        "--output", "--count", "--csv", "--rate", "--config", "--speed", "--expect", "--stats", "--interface", "--protocol-version"},
}
DIFFERENT = {option: why for why, options in DIFFERENT.items() for option in options}

# What is not said, as it would be matched, and what is said instead. Besides: a broker is a program, the server a side of a connection.
INSTEAD = {
    r"client (ID|identifier)s?|client-?id\b(?!-)|clientID": "client id",
    r"(?<![-_])usernames?": "user name",
    r"(?<!Upgrade: )(?!WebSocket)[Ww]eb[ -]?[Ss]ocket": "WebSocket",
    r"Qos": "QoS",
    r"MQTT ?v5|MQTTv5|mqtt 5": "MQTT 5",
    r"UTF8|(?<![=\x22])utf-8|Utf-8": "UTF-8",
    r"Json": "JSON",
    r"SSL/TLS|TLS/SSL|SSL(?! [a-z]*keylog)": "TLS",
    r"UNIX|[Uu]nix domain": "unix socket",
    r"[Ff]ilenames?": "file name",
    r"wild cards?|wild-cards?": "wildcard",
    r"time-outs?|time outs?": "timeout",
    r"can not": "cannot",
    r"(?<!-)[Kk]eep-?alives?": "Keep Alive",
    r"[Pp]acket[- ]?(id|ID)s?": "packet identifier",
    r"[Oo]ctets?": "byte",
    r"(?<!-)std(in|out|err)": "standard input, standard output, standard error",
    r"(receive|topic alias) maximum|(session|message) expiry( interval)?|will delay|response topics?|correlation data|content type|user propert(y|ies)|"
    r"subscription ids?|subscription identifiers?|retain handling|reason string|topic alias(es)?|maximum packet size|clean (start|session)":
        "its name as the specification writes it",
    r"(the|a|its|their|whose) will|wills|will('s| (topic|payload|message|properties))": "Will",
    r"host-?names?": "host name",
    r"pass-?phrases?": "password",
    r"[Aa]uthoris\w+": "authorize, as in the name of the reason code",
    r"h[au]ngs? up": "to disconnect, to close",
    r"Mosquitto": "mosquitto",
    r"subscription filters?|topic patterns?": "topic filter",
    r"e\.g|i\.e": "for example, that is",
    r"commandline": "command line",
}

# A value with such a name has a syntax that only an example shows.
SYNTAX = re.compile(r"[\[\]=:|,/]|\.\.|EXPR|RULE|SELECTOR|PATTERN|TEMPLATE")

NAMES_BY_KIND = {"duration": {"DURATION"}, "size": {"SIZE"},
                 "number": {"N", "PORT", "FD", "PID", "PERCENT", "LEVELS", "SECONDS"}}



def faults(check):
    """What `check` says of each option, with its name before it."""
    found = [(name, main_name(option), check(option)) for name, option in shown_options()]
    return [f"{name} {option}: {fault}" for name, option, fault in found if fault]


def test_an_option_means_the_same_in_all_programs():
    texts = collections.defaultdict(lambda: collections.defaultdict(list))
    for name, option in shown_options():
        said = re.sub(r"\bmq[a-z]+\b", "PROGRAM", option["text"])
        if not option["positional"]:
            texts[main_name(option)][(said, option["kind"], option["metavar"], tuple(option["names"]))].append(name)
    differing = {option for option, said in texts.items() if len(said) > 1}
    assert differing - set(DIFFERENT) == set(), {o: dict(texts[o]) for o in differing - set(DIFFERENT)}
    assert set(DIFFERENT) - differing == set(), "these are the same by now"


def test_texts_are_clauses_without_a_capital_and_a_full_stop():
    def check(option):
        text = option["text"]
        first = text.split()[0] if text else ""
        if not text:
            return "no text"
        if text.endswith((".", ";", " ")) or "  " in text:
            return "ends in a full stop, or has two spaces"
        if option["default"] != option["default"].strip():
            return "the default begins or ends with a space"
        return first if first[0].isupper() and sum(c.isupper() for c in first) < 2 else None
    assert faults(check) == []


def test_each_value_has_a_name_of_its_kind():
    def check(option):
        allowed = NAMES_BY_KIND.get(option["kind"])
        if option["kind"] in ("text", "tuple") and not option["named"] and not option["positional"]:
            return "the value has no name"
        return option["metavar"] if allowed and option["metavar"] not in allowed else None
    assert faults(check) == []


def test_each_option_stands_in_a_group():
    several = [(name, o) for name, o in shown_options() if " " not in name]  # commands have few options
    assert [f"{name} {main_name(o)}" for name, o in several if o["group"] == "Options"] == []


def test_a_syntax_has_an_example():
    def check(option):
        needed = not option["positional"] and option["kind"] in ("text", "tuple") and SYNTAX.search(option["metavar"])
        return "no example" if needed and not option["examples"] else None
    assert faults(check) == []


def test_what_names_a_file_completes_files():
    def check(option):
        names_file = re.search(r"((?<!pro)file|-cert|-key|path|-dir)$", main_name(option)) and option["kind"] != "none"
        web = main_name(option) in ("--ws-path", "--stdin-file")
        return "no completion" if names_file and not web and option["completion"] not in ("file", "directory") else None
    assert faults(check) == []


def prose(path):
    """The words of a page that are nobody's input or output."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return re.sub(r"```.*?```|`[^`\n]*`|\]\([^)]*\)|<[^>\n]*>", " ", text, flags=re.S)
    text = re.sub(r"^\.Bd -literal.*?^\.Ed$", "", text, flags=re.S | re.M)
    text = "\n".join(line for line in text.split("\n") if not line.startswith("."))
    return re.sub(r"\\[-&e]|\\\(..|\\f.|\\\[..?\]", " ", text)


PAGES = sorted([*ROOT.glob("man/*.[157]"), ROOT / "README.md", ROOT / "CHANGELOG.md"])
SCHEMAS = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(ROOT.glob("tools/**/*.schema.json"))}


def found_in(schema, keyword):
    """All values of a keyword."""
    for key, value in schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ():
        if key == keyword:
            yield value
        yield from found_in(value, keyword)


def texts():
    """All that is said to users, by where."""
    said = {str(path.relative_to(ROOT)): prose(path) for path in PAGES}
    for name, record in all_records().items():
        said[f"{name} --help"] = "\n".join([record["summary"], *(o["text"] for o in record["options"])])
    for name, schema in SCHEMAS.items():
        said[name] = "\n".join(text for text in found_in(schema, "description") if isinstance(text, str))
    clauses = (ROOT / "tests" / "conformance" / "clauses.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return said | {"mqspy explain CLAUSE": "\n".join(line.split("\t")[3] for line in clauses)}


# Of C++: comments and characters, which say nothing to users, raw strings of a line, other strings.
TOKEN = re.compile(r"""//[^\n]*|'(?:[^'\\\n]|\\.)'|R"(\w*)\((?P<raw>.*?)\)\1"|"(?P<plain>(?:[^"\\\n]|\\.)*)\"""", re.S)


def literals(code):
    """The strings of C++, those that stand one behind the other as one. Raw ones of several lines are code: of SQL, HTML, shells."""
    joined, end = None, 0
    for token in TOKEN.finditer(code):
        text = token["plain"] if token["plain"] is not None else token["raw"]
        if joined is not None and (text is None or code[end:token.start()].strip()):
            yield joined
            joined = None
        if text is not None and "\n" not in text:
            joined, end = (joined or "") + text, token.end()
    if joined is not None:
        yield joined


def sentences():
    """Strings of the programs that have a space, and so may be for people, by file."""
    for path in sorted([*ROOT.glob("tools/**/*.[ch]pp"), *ROOT.glob("libmqtt/**/*.[ch]pp")]):
        found = [text for text in literals(path.read_text(encoding="utf-8")) if " " in text]
        if found:
            yield str(path.relative_to(ROOT)), "\n".join(found)


def test_one_thing_has_one_name():
    found = []
    for where, text in [*texts().items(), *sentences()]:
        for pattern, instead in INSTEAD.items():
            found += [f"{where}: {match[0]!r}, say {instead!r}" for match in re.finditer(rf"\b(?:{pattern})\b", text)]
    assert found == []


# All that is written by hand or made of it; and names in which a standard has its own word.
PARTS = [".ci", "cmake", "completions", "docs", "examples", "libmqtt", "man", "tests", "tools",
         *(path.name for path in ROOT.iterdir() if path.is_file() and path.name != ".git")]
THEIRS = re.compile(r"ASN1_OCTET_STRING|OSSL_PARAM_BLD_push_octet_string|application/octet-stream")


def sources():
    """The lines of all files, by file: names of what is tested and measured, comments, transcripts, and what tests print, too."""
    for path in sorted(path for part in PARTS for path in [ROOT / part, *(ROOT / part).rglob("*")]):
        name = path.relative_to(ROOT)
        if path.is_file() and not {"node_modules", "__pycache__"} & set(name.parts):
            yield str(name), [name.name, *path.read_text(encoding="utf-8", errors="replace").splitlines()]


def test_the_sources_say_byte_too():
    said = dict(sources())
    assert {"CMakeLists.txt", "README.md", "libmqtt/mqtt/codec/framer.hpp", "tests/run", "tests/session/README.md"} <= set(said)
    found = [f"{name}:{number}: {line.strip()}" for name, lines in said.items() for number, line in enumerate(lines)
             if re.search("octe[t]", THEIRS.sub("", line), flags=re.I)]
    assert found == []


def misspelt(texts, known):
    """By where, the words that are in no British dictionary, nor in our list, nor `known`."""
    done = subprocess.run(["aspell", "list", "--lang=en_GB-ise", "--ignore=2", "--encoding=utf-8"], input="\n".join(texts.values()),
                          capture_output=True, text=True, check=True, timeout=60)
    unknown = {word.removesuffix("'s") for word in done.stdout.split()} - known
    unknown = {word for word in unknown if len(word) > 2 and not word.isupper() and word not in WORDS and word.lower() not in WORDS}
    found = {where: sorted(unknown & set(re.findall(r"[^\W\d_]+", text))) for where, text in texts.items()}
    return {where: words for where, words in found.items() if words}


def words_of_options():
    return {part for _, option in shown_options() for name in option["names"] for part in re.findall(r"[A-Za-z]+", name)}


def test_everything_is_spelt_as_in_british_english():
    assert misspelt(texts(), words_of_options()) == {}, "misspelt, or words of ours that belong into tests/e2e/words.txt"


def plain(text):
    """A sentence without what is filled in, escapes, tags, command substitutions, HTTP's headers, and names like viewBox."""
    return re.sub(r"(?:\b[A-Z][\w-]+-[\w-]+|Upgrade): [^\\\n]*|\\.|\{[^{}]*\}|%\*?\w+|</?\w[^<>\n]*>?|\$\([^)\n]*\)?|\b\w+[a-z][A-Z]\w*", " ", text)


def test_what_the_programs_say_is_spelt_as_in_british_english():
    said = {where: plain(text) for where, text in sentences() if "options_docs_" not in where}  # those write scripts of shells
    assert misspelt(said, words_of_options()) == {}, "misspelt, or words of ours that belong into tests/e2e/words.txt"


# Of keys alone: what scripts type is short.
SHORT = set("conn connack cpu dir expr fds hdr inflight msg nbytes rss rtt sev stddev ver websocket".split())


def test_keys_of_json_are_spelt_as_in_british_english():
    keys = {name: [key for properties in found_in(schema, "properties") for key in properties] for name, schema in SCHEMAS.items()}
    keys["mq-json.5"] = re.findall(r"^\.It Li (\w+)", (ROOT / "man" / "mq-json.5").read_text(encoding="utf-8"), flags=re.M)
    assert all(keys.values()), keys
    said = {where: plain(" ".join(names)).replace("_", " ") for where, names in keys.items()}
    assert misspelt(said, SHORT | words_of_options()) == {}, "misspelt, or short forms that belong into SHORT"
    assert SHORT - set(" ".join(said.values()).split()) == set()


def test_the_list_of_our_words_has_none_too_many():
    everything = set(re.findall(r"[A-Za-z]+", "\n".join([*texts().values(), *(plain(text) for _, text in sentences())])))
    assert WORDS - everything - {word.lower() for word in everything} == set()
