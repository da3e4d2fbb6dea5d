"""The marker of what a test covers."""

import pytest


def covers(v5="", v311=""):
    """`v5`, `v311`: clause ids separated by spaces. Of a test for each version, each part counts for its own."""
    return pytest.mark.covers(v5=v5.split(), v311=v311.split())


def both(clauses):
    """Clauses whose number is the same in both versions."""
    return covers(v5=clauses, v311=clauses)
