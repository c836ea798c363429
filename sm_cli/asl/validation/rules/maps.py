"""Rules about Map states. States Language, "Map State"; for distributed maps Step Functions' own pages.

Only what the text alone decides; what a distributed map reads or writes is never looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sm_cli.asl.fields import fields_of
from sm_cli.asl.outline import MachineAt, StateAt
from sm_cli.asl.validation.rules.catalogue import SCHEMA, Finding, definition_rule, state_rule
from sm_cli.asl.validation.schema import is_unknown
from sm_cli.jsonvalue import Json, is_number

DISTRIBUTED = (
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
    "Label",
)
_NOT_IN_LABELS = re.compile(r'[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]')


def config(state: StateAt) -> tuple[str, dict[str, Json]]:
    """(pointer, ProcessorConfig) of a Map, empty when there is none."""
    for field in ("ItemProcessor", "Iterator"):
        processor = state.value.get(field)
        if isinstance(processor, dict):
            definition = processor.get("ProcessorConfig")
            return f"{state.at(field)}/ProcessorConfig", definition if isinstance(definition, dict) else {}
    return state.pointer, {}


def is_distributed(state: StateAt) -> bool:
    """Whether a Map is distributed, or its Mode is not known yet."""
    mode = config(state)[1].get("Mode")
    return mode == "DISTRIBUTED" or is_unknown(mode)


@state_rule("SM711", "warning", "What only a distributed Map has stands in one", "Map")
def distributed_fields(state: StateAt) -> Iterator[Finding]:
    if is_distributed(state):
        return
    fields = fields_of("Map", state.language)
    for field in DISTRIBUTED:
        if field in state.value and field in fields:
            message = f"{field} needs a distributed Map, and '{state.name}' is an inline one"
            yield Finding(state.at(field), message, "let ProcessorConfig have Mode: DISTRIBUTED", key=True)
    pointer, definition = config(state)
    if "ExecutionType" in definition and "Mode" not in definition:
        message = f"ExecutionType needs Mode DISTRIBUTED, and without a Mode '{state.name}' is an inline Map"
        yield Finding(f"{pointer}/ExecutionType", message, "add Mode: DISTRIBUTED", key=True)


@state_rule("SM712", "error", "ExecutionType stands with Mode DISTRIBUTED", "Map", aws=SCHEMA, harmless=True)
def execution_type_fits_the_mode(state: StateAt) -> Iterator[Finding]:
    pointer, definition = config(state)
    if definition.get("Mode") == "INLINE" and "ExecutionType" in definition:
        message = "ExecutionType needs Mode DISTRIBUTED"
        yield Finding(f"{pointer}/ExecutionType", message, key=True)
    elif definition.get("Mode") == "DISTRIBUTED" and "ExecutionType" not in definition:
        message = "Mode DISTRIBUTED needs an ExecutionType, STANDARD or EXPRESS"
        yield Finding(pointer, message, key=True, about="ExecutionType")


@state_rule(
    "SM713", "error", "A Label has no blanks and no special characters", "Map", aws="INVALID_LABEL_NAME", harmless=True
)
def labels_are_plain(state: StateAt) -> Iterator[Finding]:
    label = state.text("Label")
    if label is not None and not is_unknown(label) and (bad := _NOT_IN_LABELS.search(label)):
        yield Finding(state.at("Label"), f"A Label cannot hold the character {bad.group()!r}")


@definition_rule("SM714", "error", "A Label stands for one Map", aws="DUPLICATE_LABEL_NAME", harmless=True)
def labels_are_unique(machines: list[MachineAt]) -> Iterator[Finding]:
    states_by_label: dict[str, str] = {}
    for machine in machines:
        for state in machine.states.values():
            label = state.text("Label") if state.type == "Map" else None
            if (
                label is not None
                and not is_unknown(label)
                and states_by_label.setdefault(label, state.name) != state.name
            ):
                message = f"The Label '{label}' belongs to the state '{states_by_label[label]}' already"
                yield Finding(state.at("Label"), message, about=label)


#: The type of input that a field of a ReaderConfig is for.
_OF_TYPES = {"CSVHeaderLocation": "CSV", "CSVHeaders": "CSV", "CSVDelimiter": "CSV", "ItemsPointer": "JSON"}
_INPUT_TYPES = ("CSV", "JSON", "JSONL", "PARQUET", "MANIFEST")
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*")


@state_rule("SM715", "error", "The fields of a ReaderConfig fit together", "Map", aws=SCHEMA, harmless=True)
def readers_fit_together(state: StateAt) -> Iterator[Finding]:
    reader = state.value.get("ItemReader")
    reader_config = reader.get("ReaderConfig") if isinstance(reader, dict) else None
    if not isinstance(reader_config, dict):
        return
    pointer = state.at("ItemReader", "ReaderConfig")
    location = reader_config.get("CSVHeaderLocation")
    if location == "GIVEN" and "CSVHeaders" not in reader_config:
        yield Finding(f"{pointer}/CSVHeaderLocation", "CSVHeaderLocation GIVEN needs CSVHeaders", about="CSVHeaders")
    elif "CSVHeaders" in reader_config and location == "FIRST_ROW":
        yield Finding(f"{pointer}/CSVHeaders", "CSVHeaders stand only with CSVHeaderLocation GIVEN", key=True)
    input_type = reader_config.get("InputType")
    if input_type == "CSV" and location is None and "CSVHeaderLocation" not in reader_config:
        message = "A ReaderConfig of CSV needs CSVHeaderLocation, FIRST_ROW or GIVEN"
        yield Finding(pointer, message, key=True, about="CSVHeaderLocation")
    if input_type in _INPUT_TYPES:
        for field, expected_type in _OF_TYPES.items():
            if (
                field in reader_config
                and input_type != expected_type
                and not (input_type == "MANIFEST" and field != "ItemsPointer")
            ):
                yield Finding(f"{pointer}/{field}", f"{field} stands only with InputType {expected_type}", key=True)
    if reader_config.get("ManifestType") == "S3_INVENTORY" and "InputType" in reader_config:
        yield Finding(f"{pointer}/InputType", "ManifestType S3_INVENTORY stands without InputType", key=True)


@state_rule("SM717", "error", "An ItemsPointer is a JSON Pointer", "Map", aws=SCHEMA, harmless=True)
def pointers_are_pointers(state: StateAt) -> Iterator[Finding]:
    reader = state.value.get("ItemReader")
    reader_config = reader.get("ReaderConfig") if isinstance(reader, dict) else None
    pointer = reader_config.get("ItemsPointer") if isinstance(reader_config, dict) else None
    if isinstance(pointer, str) and not is_unknown(pointer) and not _POINTER.fullmatch(pointer):
        at = state.at("ItemReader", "ReaderConfig", "ItemsPointer")
        message = "ItemsPointer must be a JSON Pointer: a / before each name, as in /orders/lines"
        steps = "/".join(re.findall(r"\w+", pointer))
        yield Finding(at, message, f"did you mean /{steps}?" if steps and "/" not in pointer else None)


#: No input of an execution is larger on AWS, in bytes.
_LARGEST_INPUT = 262_144


@state_rule("SM719", "warning", "An ItemBatcher says how large its batches are", "Map")
def batches_have_a_size(state: StateAt) -> Iterator[Finding]:
    batcher = state.value.get("ItemBatcher")
    if not isinstance(batcher, dict):
        return
    limits = [name for name in fields_of("ItemBatcher", state.language) if name.startswith("Max") and name in batcher]
    zeros = [name for name in limits if is_number(number := batcher[name]) and number == 0]
    if zeros and len(zeros) == len(limits):
        message = f"{zeros[0]} is 0, which sets no limit: a batch is as large as an input can be"
        yield Finding(state.at("ItemBatcher", zeros[0]), message)
    size = batcher.get("MaxInputBytesPerBatch")
    if is_number(size) and size > _LARGEST_INPUT:
        message = f"No batch has {size} bytes: on AWS an input has at most {_LARGEST_INPUT}"
        yield Finding(state.at("ItemBatcher", "MaxInputBytesPerBatch"), message)


#: What reads the items of a distributed Map, and what writes its results.
_READERS = re.compile(r"arn:[^:]*:states:::(?:s3:getObject|s3:listObjectsV2)")
_WRITERS = re.compile(r"arn:[^:]*:states:::s3:putObject")


@state_rule(
    "SM716",
    "error",
    "An ItemReader reads from S3 and a ResultWriter writes to it",
    "Map",
    aws=SCHEMA,
    harmless=True,
)
def resources_are_of_s3(state: StateAt) -> Iterator[Finding]:
    for field, readers, actions in (
        ("ItemReader", _READERS, "s3:getObject or s3:listObjectsV2"),
        ("ResultWriter", _WRITERS, "s3:putObject"),
    ):
        part = state.value.get(field)
        resource = part.get("Resource") if isinstance(part, dict) else None
        if isinstance(resource, str) and not is_unknown(resource) and not readers.fullmatch(resource):
            message = f"The Resource of {field} must be arn:aws:states:::{actions}"
            yield Finding(f"{state.at(field)}/Resource", message)


@state_rule("SM718", "warning", "An ItemReader and a ResultWriter name their bucket, and a file to read its key", "Map")
def buckets_are_named(state: StateAt) -> Iterator[Finding]:
    name = "Parameters" if state.language == "JSONPath" else "Arguments"
    for field, readers in (("ItemReader", _READERS), ("ResultWriter", _WRITERS)):
        part = state.value.get(field)
        resource = part.get("Resource") if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(resource, str) or not readers.fullmatch(resource):
            continue
        location = part.get(name, {})
        if ("Parameters" in part and name == "Arguments") or ("Arguments" in part and name == "Parameters"):
            continue  # SM107 says it
        if not isinstance(location, dict) or any(is_unknown(key) for key in location):
            continue
        names = ("Bucket", "Key") if resource.endswith("getObject") else ("Bucket",)
        missing = [each for each in names if each not in location and f"{each}.$" not in location]
        if missing:
            at = state.at(field, name) if name in part else state.at(field)
            yield Finding(at, f"{field} has no {' and no '.join(missing)} in its {name}", key=True)
