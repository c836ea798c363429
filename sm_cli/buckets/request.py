"""What an ItemReader asks for, checked: the evaluated request of a Map as a `ReadRequest`.

A request that makes no sense fails here, before any file is touched, with a sentence that names the field.
AWS's developer guide, "ItemReader (Map)", says what the fields mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sm_cli.buckets.csv_rows import Form, headers_problem
from sm_cli.buckets.failures import ItemReaderFailed
from sm_cli.jsonvalue import Json, dumps

InputType = Literal["CSV", "JSON", "JSONL", "PARQUET"]
_INPUT_TYPES: tuple[InputType, ...] = ("CSV", "JSON", "JSONL", "PARQUET")
_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}

#: How the parts of a data set are found: one object, a listing (its own items), listed objects, the two manifests.
How = Literal["object", "listing", "objects", "inventory", "athena"]


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """An ItemReader's request. `key` is the object's, or the prefix of a listing."""

    #: How the items are found in what `key` names.
    how: How
    #: The name of the bucket.
    bucket: str
    key: str
    #: What the objects are; None when none is opened.
    input_type: InputType | None
    #: How CSV is written; None: it is not CSV.
    csv: Form | None
    #: The JSON pointer of the array in a JSON object; "" for the whole.
    pointer: str
    #: MaxItems; None: all.
    most: int | None
    #: Whether an item that cannot be read is given as Unreadable, where the others are read all the same.
    is_lenient: bool = False


def parse_request(request: dict[str, Json]) -> ReadRequest:
    """The `ReadRequest` of {"resource", "arguments", "config"}. Raises ItemReaderFailed."""
    arguments, config = _object(request, "arguments"), _object(request, "config")
    resource = request.get("resource")
    if resource == "s3:listObjectsV2":
        flattens = config.get("Transformation") == "LOAD_AND_FLATTEN"
        how: How = "objects" if flattens else "listing"
        key = _text(arguments, "Prefix", "")
    elif resource == "s3:getObject":
        how, key = _how(config), _text(arguments, "Key")
    else:
        raise ItemReaderFailed(f"items are read with s3:getObject and s3:listObjectsV2, not with {dumps(resource)}")
    kind = _input_type(config, how)
    form = _form(config, kind, how)
    pointer = _text(config, "ItemsPointer", "")
    if pointer and not pointer.startswith("/"):
        raise ItemReaderFailed(f"ItemsPointer {pointer!r} is not a JSON Pointer: it does not begin with a slash")
    return ReadRequest(how, _text(arguments, "Bucket"), key, kind, form, pointer, _most(config))


def _how(config: dict[str, Json]) -> How:
    manifest = config.get("ManifestType")
    if manifest == "ATHENA_DATA":
        return "athena"
    if manifest == "S3_INVENTORY" or config.get("InputType") == "MANIFEST":
        return "inventory"
    if manifest is not None:
        raise ItemReaderFailed(f"ManifestType must be ATHENA_DATA or S3_INVENTORY, not {dumps(manifest)}")
    return "object"


def _input_type(config: dict[str, Json], how: How) -> InputType | None:
    if how == "listing":
        return None
    if how == "inventory":
        return "CSV"
    input_type = config.get("InputType")
    for each in _INPUT_TYPES:
        if input_type == each and not (each == "JSON" and how == "athena"):
            return each
    types = "CSV, JSONL or PARQUET" if how == "athena" else "CSV, JSON, JSONL or PARQUET"
    problem = "is missing" if input_type is None else f"is {dumps(input_type)}"
    raise ItemReaderFailed(f"InputType {problem}; it says what the data is: {types}")


def _form(config: dict[str, Json], kind: InputType | None, how: How) -> Form | None:
    """How CSV is written; an inventory's columns come from its manifest."""
    if kind != "CSV":
        return None
    delimiter = _text(config, "CSVDelimiter", "COMMA")
    if delimiter not in _DELIMITERS:
        raise ItemReaderFailed(f"CSVDelimiter must be {', '.join(_DELIMITERS)}, not {delimiter!r}")
    if how == "inventory":
        return Form(_DELIMITERS[delimiter], ())
    location = config.get("CSVHeaderLocation")
    if location == "FIRST_ROW":
        return Form(_DELIMITERS[delimiter], None)
    if location != "GIVEN":
        raise ItemReaderFailed("CSVHeaderLocation must be FIRST_ROW or GIVEN where InputType is CSV")
    headers_of_config = config.get("CSVHeaders")
    headers = tuple(h for h in headers_of_config if isinstance(h, str)) if isinstance(headers_of_config, list) else ()
    if not headers or not isinstance(headers_of_config, list) or len(headers) != len(headers_of_config):
        raise ItemReaderFailed("CSVHeaders must be a list of names where CSVHeaderLocation is GIVEN")
    if problem := headers_problem(headers):
        raise ItemReaderFailed(problem)
    return Form(_DELIMITERS[delimiter], headers)


def _most(config: dict[str, Json]) -> int | None:
    most = config.get("MaxItems")
    if most is None:
        return None
    if isinstance(most, bool) or not isinstance(most, (int, float)) or most != int(most):
        raise ItemReaderFailed(f"field MaxItems must be a whole number, not {dumps(most)}")
    if most < 0:
        raise ItemReaderFailed("field MaxItems must be positive")
    return int(most) or None  # 0 reads all


def _object(request: dict[str, Json], name: str) -> dict[str, Json]:
    value = request.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ItemReaderFailed(f"the {name} of an ItemReader must be an object, not {dumps(value)}")
    return value


def _text(members: dict[str, Json], name: str, default: str | None = None) -> str:
    value = members.get(name, default)
    if value is None:
        raise ItemReaderFailed(f"{name} is missing from what the ItemReader asks for")
    if not isinstance(value, str):
        raise ItemReaderFailed(f"{name} must be text, not {dumps(value)}")
    return value
