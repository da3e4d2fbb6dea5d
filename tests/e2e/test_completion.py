"""What bash, fish and zsh offer for unfinished command lines: the real shells, with the committed files."""

import functools
import os
import pathlib
import re
import subprocess

import pytest

from support import shells
from support.proc import run
from support.tools import assert_ok, program

ROOT = pathlib.Path(__file__).parents[2]
COMPLETIONS = ROOT / "completions"

PRESETS = subprocess.run([os.environ["MQ_BIN_DIR"] + "/mqbench", "list"], stdout=subprocess.PIPE, check=True, timeout=60).stdout
PRESETS = {line.split()[0] for line in PRESETS.decode().splitlines()}
CLAUSES = {line.split("\t")[1] for line in (ROOT / "tests" / "conformance" / "clauses.tsv").read_text(encoding="utf-8").splitlines()[1:]}
FILES = {"plain.txt", "with space.json"}  # besides the folder "folder"
QOS = {"0", "1", "2"}
COMMANDS = {"mqbench": {"run", "search", "verify", "list", "merge", "compare", "report"},
            "mqspy": {"proxy", "read", "capture", "lint", "replay", "decode", "explain"}}


def beginning(words, start):
    return {word for word in words if word.startswith(start)}


# Each line, and all that is to be offered for its last word.
OFFERS = {
    "mqpub --qo": {"--qos"},
    "mqsub --retained-b": {"--retained-backup"},
    "mqpub --qos ": QOS,
    "mqpub --qos=": QOS,
    "mqpub -q ": QOS,
    "mqsub -V3": {"31", "311"},
    "mqpub --url x --log-format ": {"text", "json"},
    "mqpub -f p": {"plain.txt"},
    "mqpub --file ": FILES | {"folder"},
    "mqpub --file=w": {"with space.json"},
    "mqpub --cafile folder/": {"in folder"},
    "mqpub --dir ": {"folder"},
    "mqpub --unix pl": {"plain.txt"},
    "mqsub --profile ": {"work", "at home"},
    "mqsub --password-env MQ_TEST": {"MQ_TEST_SECRET"},
    "mqsub --interface l": {"lo"},
    "mqpub -D ": {"connect", "will", "publish", "disconnect"},
    "mqpub --property publish c": {"content-type", "correlation-data"},
    "mqsub -D subscribe ": {"subscription-identifier", "user-property"},
    "mqsub -D subscribe user-property k v --log-f": {"--log-format"},
    "mqsub -t ": set(),  # topics are the broker's, and nothing here asks it
    "mqsub -t x --will-q": {"--will-qos"},
    "mqreq --will-qos ": QOS,
    "mqbench ": COMMANDS["mqbench"],
    "mqbench run f": beginning(PRESETS, "f") | {"folder"},
    "mqbench list ": PRESETS,
    "mqbench -h broker search fan-": beginning(PRESETS, "fan-"),
    "mqbench run w": beginning(PRESETS, "w") | {"with space.json"},
    "mqbench search quick --slo-n": set(),
    "mqbench merge --out": {"--output"},
    "mqbench merge --qo": set(),
    "mqbench compare plain.txt w": {"with space.json"},
    "mqbench report -o ": FILES | {"folder"},
    "mqspy ": COMMANDS["mqspy"],
    "mqspy read w": {"with space.json"},
    "mqspy capture -i a": {"any"},
    "mqspy capture ": set(),
    "mqspy --f": {"--fault", "--filter", "--from"},
    "mqspy read --f": {"--filter"},
    "mqspy read --st": {"--stop-on", "--stats"},
    "mqspy lint plain.txt --c": {"--color"},
    "mqspy proxy --c": {"--cert", "--ca-out", "--cafile", "--capath", "--connect-timeout", "--color"},
    "mqspy replay --filter explain --c": {"--cafile", "--capath", "--connect-timeout", "--conn", "--color"},
    "mqspy --log-format text decode --f": {"--from"},
    "mqspy explain --c": {"--color", "--coverage"},
    "mqspy proxy --to-cert pl": {"plain.txt"},
    "mqbench verify --fa": {"--faults", "--fault-rate", "--fault-time"},
    "mqbench run --fa": set(),
    "mqbench --fa": {"--faults", "--fault-rate", "--fault-time"},
    "mqbench -h search run --st": set(),
    "mqbench search quick --st": {"--steps"},
    "mqbench list --js": set(),
    "mqbench verify --js": {"--json"},
    "mqspy explain MQTT-4.7": beginning(CLAUSES, "MQTT-4.7"),
    "mqspy explain not-": {"not-authorized"},
    "mqspy explain 0x8a": {"0x8a"},
    "mqspy explain topic-a": {"topic-alias", "topic-alias-invalid", "topic-alias-maximum"},
    "mqspy explain PUBR": {"PUBREC", "PUBREL"},
    "mqbroker pa": {"passwd"},
    "mqbroker passwd --scr": {"--scram-sha-256"},
    "mqbroker passwd pl": {"plain.txt"},
    "mqbroker --password-file pl": {"plain.txt"},
}


@pytest.fixture(scope="module")
def place(temporary_directory):
    """A directory with files, the completions where shells find them, and the environment."""
    home = temporary_directory / "home"
    here = home / "here"
    for path in ("here/plain.txt", "here/with space.json", "here/folder/in folder", "config/mq/work.toml", "config/mq/at home.toml",
                 "config/mq/none.txt"):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text("", encoding="utf-8")
    for there, files in (("bash-completion/completions", "bash"), ("fish/vendor_completions.d", "fish")):
        (home / "share" / there).parent.mkdir(parents=True, exist_ok=True)
        (home / "share" / there).symlink_to(COMPLETIONS / files)
    env = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_DIRS": f"{home}/share:/usr/share",
           "PATH": f"{program('mqpub').parent}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MQ_TEST_SECRET": "x",
           "BASH_COMPLETION_USER_DIR": str(home / "share" / "bash-completion")}
    return here, env


@pytest.fixture(scope="module")
def zsh(place):
    zsh = shells.Zsh(COMPLETIONS / "zsh", place[1], place[0])
    yield zsh
    zsh.close()


@pytest.fixture(scope="module")
def ask(place, zsh):
    """All that a shell offers for a line. Shells are asked everything at once."""
    @functools.cache
    def answers(shell):
        if shell == "zsh":
            return {line: zsh.ask(line)[0] for line in OFFERS}
        return dict(zip(OFFERS, getattr(shells, shell)(list(OFFERS), place[1], place[0])))
    return lambda shell, line: answers(shell)[line]


def bare(word, line):
    """Without what stands before the value in its word, and without the quotes and marks of shells."""
    word = re.sub(r"^-V", "", word) if "-V" in line else word
    word = word.split("=", 1)[-1] if "=" in line else word
    return word.replace("\\", "").removeprefix("folder/").rstrip("/ ") or "folder"


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
@pytest.mark.parametrize("line", OFFERS)
def test_offers(ask, shell, line):
    offered = {bare(word, line) for word in ask(shell, line)}
    assert offered == OFFERS[line], (shell, line)


def test_the_help_of_a_command_has_what_is_offered_behind_it(place):
    """Its options alone, and all of them."""
    lines = [f"{tool} {command}" for tool, commands in (COMMANDS | {"mqbroker": {"passwd"}}).items() for command in commands]
    for line, offered in zip(lines, shells.bash([f"{line} -" for line in lines], place[1], place[0])):
        tool, command = line.split()
        text = assert_ok(run([program(tool), command, "--help"])).out.decode()
        assert text.startswith(f"Usage: {line} "), text
        shown = {name.partition("[=")[0] for names in re.findall(r"^ {2,6}(-[^\s,]+(?:, -[^\s,]+)*)", text, re.M) for name in names.split(", ")}
        assert len(shown) > 3 and shown == {name.rstrip("= ") for name in offered}, line


@pytest.mark.parametrize("line, becomes", [("mqpub --qo", "mqpub --qos="), ("mqpub -f w", r"mqpub -f with\ space.json "),
                                           ("mqbench run sub", "mqbench run subscribe-churn ")])
def test_tab_completes_in_zsh(zsh, line, becomes):
    assert zsh.ask(line)[1].rstrip() == becomes.rstrip()


def test_the_committed_files_are_what_the_programs_make(scratch):
    subprocess.run([COMPLETIONS / "make", program("mqpub").parent, scratch], check=True, timeout=60)
    made = {path.relative_to(scratch): path.read_text(encoding="utf-8") for path in scratch.rglob("*") if path.is_file()}
    assert len(made) == 18
    for name, text in made.items():
        assert (COMPLETIONS / name).read_text(encoding="utf-8") == text, f"run completions/make: {name} is old"
