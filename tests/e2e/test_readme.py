"""README and the manual: what they tell to type works, what they name is there, and the picture is a real one."""

import pathlib
import re
import sys
import xml.etree.ElementTree

import pytest

from support.own_network import assert_cases_pass, require_own_network
from support.proc import run
from support.tools import program

ROOT = pathlib.Path(__file__).parents[2]
TOOLS = ("mqpub", "mqsub", "mqreq", "mqbench", "mqspy", "mqbroker")


def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


def test_what_is_printed_works():
    assert_cases_pass("printed_cases.py")


def heads(document):
    """Of README, or of a page such as mq-json(5)."""
    if document == "README":
        return set(re.findall(r"^##+ (.+)$", text_of("README.md"), re.M))
    page = text_of("man/" + re.sub(r"\((\d)\)", r".\1", document))
    return {re.sub(r":.*", "", head) for head in re.findall(r"^\.S[hs] (.+)$", page, re.M)}


def test_each_of_the_ten_tasks_is_answered_where_it_is_said():
    table = text_of("CONTRIBUTING.md").split("## Ten tasks")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (?!task)([^|-][^|]*) \| (.*) \|$", table, re.M)
    assert len(rows) == 10
    for task, places in rows:
        for place in places.split("; "):
            document, head = place.split(": ")
            assert head in heads(document), (task, place)


def test_links_lead_to_what_is_there():
    anchors = re.findall(r"\]\(#([^)]+)\)", text_of("README.md"))
    assert anchors and set(anchors) <= {head.lower().replace(" ", "-") for head in heads("README")}
    links = re.findall(r"\]\(([^)#]+)\)", text_of("README.md"))
    assert len(links) > 8
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_option_that_readme_names_is_there():
    """On the line of the program that it belongs to."""
    known = {tool: run([program(tool), "--help"]).out.decode() for tool in TOOLS}
    for tool in ("mqbench", "mqspy", "mqbroker"):
        for command in re.findall(r"^  ([a-z]+) ", known[tool], re.M):
            known[tool] += run([program(tool), command, "--help"]).out.decode()
    found = re.findall(rf"\b({'|'.join(TOOLS)})( [^`|&\n]*)", text_of("README.md") + text_of("man/mq-tools.7"))
    assert len(found) > 40
    for tool, words in found:
        for option in re.findall(r" (--[a-z-]+)", re.sub(r"'[^']*'", "", words)):
            assert option in known[tool], (tool, option)


def test_the_picture_and_the_report_are_of_a_real_run(tmp_path):
    """docs/picture makes what README shows and links anew, in the same form."""
    require_own_network()
    result = run([sys.executable, "-B", ROOT / "docs" / "picture", "short", program("mqpub").parent, tmp_path], seconds=200)
    assert result.code == 0, result
    for directory in (tmp_path, ROOT / "docs"):
        root = xml.etree.ElementTree.parse(directory / "terminal.svg").getroot()
        text = "\n".join("".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text"))
        for part in ("publish and subscribe", '"home/lamp"', "exit code 4", "CONNECT", "MQTT-3.3.2-2", "CLOSE", "p99"):
            assert part in text, (directory, part)
        report = (directory / "report.html").read_text(encoding="utf-8")
        assert "mqbench run --rate 2000/s" in report
        assert not re.search(r"\x1b|/tmp/|/work/", text + report)
