"""EXAMPLES of the manual pages, typed as they are printed. Run by test_man.py in a network of its own."""

import pathlib

import pytest

from support.own_network import enter_private_network
from support.printed import Stage, read_commands

SOURCES = sorted((pathlib.Path(__file__).parents[2] / "man").glob("*.1.in"))


@pytest.fixture(scope="module", autouse=True)
def network():
    enter_private_network()


@pytest.mark.parametrize("page", SOURCES, ids=lambda page: page.name)
def test_examples_do_what_they_show(page, tmp_path):
    """A page that starts brokers itself is given none."""
    commands = read_commands(page.read_text(encoding="utf-8"))
    assert len(commands) > 5
    with Stage(tmp_path) as stage:
        if not any(command.text.startswith("mqbroker") for command in commands):
            stage.start_broker()
        for command in commands:
            try:
                stage.type(command)
            except Exception as error:
                raise AssertionError(f"{page.name}:{command.line}: {error}") from error


@pytest.mark.parametrize("shown, fine", (
    ("$ echo a b\na b", True), ("$ echo a b\na ...", True), ("$ seq 3\n...\n3", True), ("$ echo a\nb", False),
    ("$ seq 2\n1", False), ("$ true\na", False), ("$ false", False), ("$ false; echo $?\n1", True)))
def test_an_example_that_shows_something_else_is_found(shown, fine, tmp_path):
    """Of the comparison itself: what is missing, surplus or different, and a command that fails."""
    (command,) = read_commands(f"```console\n{shown}\n```\n")
    with Stage(tmp_path) as stage:
        if fine:
            stage.type(command)
        else:
            with pytest.raises(AssertionError):
                stage.type(command)
