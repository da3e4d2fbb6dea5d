"""What `cmake --install` brings: programs that run from there, and the schema of their JSON lines."""

import json
import pathlib
import subprocess
import tempfile

import jsonschema
import pytest

from support.mqbroker import MqBroker
from support.ports import HOST
from support.proc import run
from support.tools import program

BUILD = program("mqpub").parent.parent
ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed():
    with tempfile.TemporaryDirectory() as prefix:
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, stdout=subprocess.DEVNULL, timeout=60)
        yield pathlib.Path(prefix)


@pytest.mark.parametrize("tool", ["mqpub", "mqsub", "mqreq", "mqbroker", "mqbench", "mqspy"])
def test_programs_run_where_they_were_installed(installed, tool):
    result = subprocess.run([installed / "bin" / tool, "--version"], capture_output=True, timeout=20)
    assert result.returncode == 0 and result.stdout.startswith(tool.encode()), result


def test_json_lines_fit_the_installed_schema(installed):
    schema = json.loads((installed / "share" / "mq" / "mq-message.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    with MqBroker(options=["-v"]) as broker:
        where = ["-h", HOST, "-p", str(broker["tcp"].port), "-t", "a/b"]
        sub = subprocess.Popen([installed / "bin" / "mqsub", *where, "--json", "-q", "2", "-C", "4", "-W", "30"],
                               stdout=subprocess.PIPE)
        broker.wait_subscribed("a/b")
        for options in (["-m", "text"], ["-n", "-r", "-q", "1"], ["-m", '{"a":1}', "-q", "2", "-D", "publish", "user-property", "k", "v"],
                        ["-s", "-D", "publish", "correlation-data", "base64:AP8=", "-D", "publish", "message-expiry-interval", "9"]):
            subprocess.run([installed / "bin" / "mqpub", *where, *options], input=b"\xff\0", check=True, timeout=20)
        lines = sub.communicate(timeout=40)[0].splitlines()
    assert sub.returncode == 0 and len(lines) == 4, lines
    for line in lines:
        validator.validate(json.loads(line))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"topic": 1})


def test_a_result_of_the_installed_mqbench_fits_the_installed_schema(installed):
    schema = json.loads((installed / "share" / "mq" / "mqbench-result.schema.json").read_text(encoding="utf-8"))
    run = subprocess.run([installed / "bin" / "mqbench", "run", "--self", "--count", "50", "--json", "-", "--quiet"],
                         capture_output=True, timeout=60)
    jsonschema.validators.validator_for(schema)(schema).validate(json.loads(run.stdout))


def test_units_start_the_program_that_is_installed(installed):
    units = installed / "lib" / "systemd" / "system"
    assert f"ExecStart={installed}/bin/mqbroker -c" in (units / "mqbroker.service").read_text(encoding="utf-8")
    assert "ListenStream=" in (units / "mqbroker.socket").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", sorted((ROOT / "man").glob("*.[157]")), ids=lambda page: page.name)
def test_the_manual_is_where_man_looks(installed, page):
    assert (installed / "share" / "man" / f"man{page.suffix[1]}" / page.name).read_bytes() == page.read_bytes()


@pytest.mark.parametrize("file", ["bash-completion/completions/mqpub", "fish/vendor_completions.d/mqpub.fish", "zsh/site-functions/_mqpub"])
def test_completions_are_where_shells_look(installed, file):
    assert "made by mqpub --print-docs" in (installed / "share" / file).read_text(encoding="utf-8")


def test_the_readme_shows_the_example_that_is_compiled_and_run():
    example = (ROOT / "examples" / "embedded_broker.cpp").read_text(encoding="utf-8")
    shown = "```cpp\n" + example[example.index("int main()"):] + "```\n"
    assert shown in (ROOT / "README.md").read_text(encoding="utf-8"), "README.md differs from examples/embedded_broker.cpp"


def test_the_access_rules_that_the_manual_shows_can_be_used(tmp_path):
    page = (ROOT / "man" / "mqbroker.1").read_text(encoding="utf-8")
    (tmp_path / "rules").write_text(page.split(".Bd -literal -offset indent\n")[1].split(".Ed\n")[0], encoding="utf-8")
    assert "topic readwrite plant/#" in (tmp_path / "rules").read_text(encoding="utf-8")
    done = run([program("mqbroker"), "--acl-file", "rules", "--check-config"], cwd=tmp_path)
    assert done.code == 0, done
