"""Man pages: they say what the programs say now, have no faults, and their examples do what they show."""

import pathlib
import re
import runpy

import pytest

from support.own_network import assert_cases_pass
from support.proc import run
from support.tools import program

MAN = pathlib.Path(__file__).resolve().parents[2] / "man"
SOURCES = sorted(MAN.glob("*.1.in"))
PAGES = sorted(MAN.glob("*.[157]"))
made = runpy.run_path(str(MAN / "make"))["made"]


def name(path):
    return path.name


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_a_page_is_what_the_programs_say_now(source):
    page = source.with_suffix("").read_text(encoding="utf-8")
    assert page == made(source, program("mqpub").parent), "run man/make BUILD_DIR"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_mandoc_finds_no_faults(page):
    said = run(["mandoc", "-Tlint", "-W", "style", page]).out.decode().splitlines()
    # Whether other pages are installed here, and known to man, is not a fault of this one.
    faults = [line for line in said if "referenced manual not found" not in line and "outdated mandoc.db" not in line]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_terminal_of_80_columns_shows_whole_lines(page):
    shown = re.sub(".\b", "", run(["mandoc", "-Tascii", "-Owidth=80", page]).out.decode())
    assert [line for line in shown.splitlines() if len(line) > 80] == []


def test_every_variable_that_an_option_reads_is_in_environment():
    read = {(source.with_suffix(""), variable) for source in SOURCES for variable in
            re.findall(r"Environment:\n\.Ev (\w+)", source.with_suffix("").read_text(encoding="utf-8"))}
    assert len(read) > 10
    for page, variable in read:
        told = page.read_text(encoding="utf-8").partition(".Sh ENVIRONMENT\n")[2].partition("\n.Sh ")[0]
        assert re.search(rf"\.It Ev .*\b{variable}\b", told), (page, variable)


def test_every_option_that_a_page_names_is_there():
    texts = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
    there = {option for text in texts.values() for item in re.findall(r"^\.It (Fl .*)$", text, re.M)
             for option in re.findall(r"Fl (-[a-z][a-z0-9-]*)", item)}
    named = {(page, option) for page, text in texts.items() for option in re.findall(r"\bFl (-[a-z][a-z0-9-]*)", text)}
    assert len(there) > 150
    assert not {(page, option) for page, option in named if option not in there}


def test_examples_do_what_they_show():
    assert_cases_pass("man_cases.py")


def test_every_display_of_examples_is_one_that_is_typed():
    """mq-json(5) shows a message, which e2e.formats reads, mq-url(7) a list, and mq-tools(7) has RECIPES (e2e.readme)."""
    for page in SOURCES:
        examples = page.read_text(encoding="utf-8").split(".Sh EXAMPLES\n")[1].split("\n.Sh ")[0]
        assert re.findall(r"^\.(?:Bd|D1|Dl).*\n.*", examples, re.M) == re.findall(r"^\.Bd -literal.*\n\$ .*", examples, re.M), page
