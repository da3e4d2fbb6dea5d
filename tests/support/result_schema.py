"""The installed schemas of what mqbench writes, which describe every key that a result has."""

import json
import pathlib

import jsonschema

DIRECTORY = pathlib.Path(__file__).parents[2] / "tools/mqbench"
SCHEMA = json.loads((DIRECTORY / "mqbench-result.schema.json").read_text())
_VALIDATOR = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)


def validated(result):
    """The same, after it was found to be as the schema says."""
    _VALIDATOR.validate(result)
    return result


def objects_of(schema):
    """Every schema of an object within a schema that names members of it."""
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object":
            yield schema
        for each in schema.values():
            yield from objects_of(each)
    if isinstance(schema, list):
        for each in schema:
            yield from objects_of(each)
