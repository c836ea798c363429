"""What each field is for, in the sentence that an editor shows beside it.

A field of the table has one sentence for all its places, or one for each place where it means something else.
"""

from __future__ import annotations

from collections.abc import Mapping

from sm_cli.asl.fields import OPERATORS

#: Field, or Shape.Field where the shape has a meaning of its own.
DESCRIPTIONS: Mapping[str, str] = {
    "Comment": "A note for readers; it changes nothing.",
    "QueryLanguage": "How values are read and made: with JSONPath unless said otherwise, or with JSONata.",
    "StartAt": "The state to begin with.",
    "States": "The states, each under its name.",
    "Version": "The version of the States Language.",
    "Machine.TimeoutSeconds": "How long the whole execution may take before it ends as TIMED_OUT.",
    "Type": "What the state does.",
    "Next": "The state that follows.",
    "Rule.Next": "The state that follows when the rule holds.",
    "Expression.Next": "The state that follows when the condition holds.",
    "Catcher.Next": "The state that follows such an error.",
    "End": "true: the machine ends here.",
    "Retry": "Which errors are tried again, how often and after how long; the first retrier that fits counts.",
    "Catch": "Where to go on after an error that is not retried; the first catcher that fits counts.",
    "Assign": "Workflow variables to set, by name.",
    "Resource": "What does the work: a handler's name, a Lambda function's ARN, or arn:aws:states:::SERVICE:ACTION.",
    "ItemReader.Resource": "What reads the items, such as arn:aws:states:::s3:getObject.",
    "ResultWriter.Resource": "What writes the results, such as arn:aws:states:::s3:putObject.",
    "TimeoutSeconds": "How long it may take before it fails with States.Timeout.",
    "TimeoutSecondsPath": "Where the input says how long it may take, in seconds.",
    "HeartbeatSeconds": "How long the task may be silent before it fails with States.HeartbeatTimeout.",
    "HeartbeatSecondsPath": "Where the input says how long the task may be silent, in seconds.",
    "Credentials": "The role to take on, as RoleArn.",
    "RoleArn": "The ARN of the role to take on.",
    "CorrelationKey": "The key under which messages are sent, as in KEY=VALUE.",
    "CorrelationValue": "The value under which this execution's message is sent.",
    "CorrelationValuePath": "Where the input holds the value under which this execution's message is sent.",
    "TimeoutPath": "The state that follows when no message comes in time; without it States.Timeout is raised.",
    "MessagePath": "Where the message is placed in the input; null drops it. The same as ResultPath.",
    "Seconds": "How many seconds to wait.",
    "SecondsPath": "Where the input says how many seconds to wait.",
    "Timestamp": "The moment to wait for, such as 2030-01-31T09:00:00Z.",
    "TimestampPath": "Where the input holds the moment to wait for.",
    "Error": "The name of the error that the execution fails with.",
    "ErrorPath": "Where the input holds the name of the error, or a call that makes it.",
    "Cause": "What happened, for people.",
    "CausePath": "Where the input holds what happened, or a call that makes it.",
    "Choices": "The rules, asked in order; the first that holds decides.",
    "Default": "The state that follows when no rule holds; without it States.NoChoiceMatched is raised.",
    "Variable": "The path of the value to compare.",
    "And": "Holds when all of these rules hold.",
    "Or": "Holds when one of these rules holds.",
    "Not": "Holds when this rule does not.",
    "Condition": "A {% … %} expression; the rule holds when it is true.",
    "Branches": "The machines that run at the same time; their outputs become a list.",
    "ItemProcessor": "The machine that runs once for each item.",
    "Iterator": "The older name of ItemProcessor.",
    "ItemSelector": "Makes the input of each iteration; $$.Map.Item.Value is the item.",
    "Items": "The items: a list, an object, or an expression that makes one.",
    "ItemsPath": "Where the input holds the items, a list or an object; the input itself unless given.",
    "MaxConcurrency": "How many iterations run at once; 0 for as many as possible.",
    "MaxConcurrencyPath": "Where the input says how many iterations run at once.",
    "ToleratedFailureCount": "How many items may fail before the Map does.",
    "ToleratedFailureCountPath": "Where the input says how many items may fail.",
    "ToleratedFailurePercentage": "What share of the items may fail before the Map does.",
    "ToleratedFailurePercentagePath": "Where the input says what share of the items may fail.",
    "Label": "Names the child executions of a distributed Map.",
    "ItemReader": "Where a distributed Map reads its items.",
    "ItemBatcher": "How a distributed Map puts items together.",
    "ResultWriter": "Where a distributed Map writes its results.",
    "ProcessorConfig": "How the iterations run.",
    "Mode": "INLINE: inside this execution; DISTRIBUTED: as child executions.",
    "ExecutionType": "The type of the child executions.",
    "ReaderConfig": "What is read, and how.",
    "WriterConfig": "How results are written.",
    "InputType": "The format of what is read.",
    "CSVHeaderLocation": "Where the names of the columns stand: in the first row, or in CSVHeaders.",
    "CSVDelimiter": "What stands between the columns.",
    "CSVHeaders": "The names of the columns.",
    "MaxItems": "How many items are read at most.",
    "MaxItemsPath": "Where the input says how many items are read at most.",
    "ItemsPointer": "A JSON pointer to the items inside the file.",
    "ManifestType": "What wrote the manifest.",
    "Transformation": "What is done to the results before they are written.",
    "ReaderConfig.Transformation": "What is done to the items after they are read.",
    "OutputType": "The format of what is written.",
    "MaxItemsPerBatch": "How many items make a batch at most.",
    "MaxItemsPerBatchPath": "Where the input says how many items make a batch at most.",
    "MaxInputBytesPerBatch": "How large a batch may be, in bytes.",
    "MaxInputBytesPerBatchPath": "Where the input says how large a batch may be, in bytes.",
    "BatchInput": "What each batch gets beside its items.",
    "Retrier.ErrorEquals": "The names of the errors to retry; States.ALL for every one.",
    "Catcher.ErrorEquals": "The names of the errors to catch; States.ALL for every one.",
    "IntervalSeconds": "How long to wait before the first retry, in seconds; 1 unless given.",
    "MaxAttempts": "How often it is tried again; 3 times unless given, 0 for never.",
    "BackoffRate": "By how much the wait grows with each retry; 2 unless given.",
    "MaxDelaySeconds": "How long a wait may become, in seconds.",
    "JitterStrategy": "FULL: each wait is a random part of what it would be.",
    "InputPath": "The part of the input that the state sees; null for an empty object.",
    "OutputPath": "The part of the output that goes on; null for an empty object.",
    "Parameters": "What the state gets instead of its input; keys that end in .$ hold paths and calls.",
    "ResultSelector": "What is taken of the result; keys that end in .$ hold paths and calls.",
    "ResultPath": "Where the result is placed in the input; null keeps the input as it is.",
    "Catcher.ResultPath": "Where the error is placed in the input; null keeps the input as it is.",
    "Result": "The output, as it is written.",
    "Arguments": "What the state gets; {% … %} are expressions.",
    "Output": "The output; {% … %} are expressions. The result unless given.",
    "Expression.Output": "The output when this rule decides; {% … %} are expressions.",
    "Catcher.Output": "The output after such an error; {% … %} are expressions.",
}

_TYPES = {"String": "a text", "Numeric": "a number", "Boolean": "true or false", "Timestamp": "a timestamp"}
_TESTS = {
    "Equals": "equal to",
    "LessThan": "less than",
    "GreaterThan": "greater than",
    "LessThanEquals": "at most",
    "GreaterThanEquals": "at least",
}
_IS = {"Null": "null", "Present": "there", "Numeric": "a number", "String": "a text", **_TYPES}


def description(shape: str, field: str) -> str:
    """The sentence about a field of a shape."""
    if field in OPERATORS:
        return _operator(field)
    return DESCRIPTIONS.get(f"{shape}.{field}") or DESCRIPTIONS[field]


def _operator(name: str) -> str:
    if name == "StringMatches":
        return "Holds when the Variable is a text of this pattern; * stands for any characters."
    if name.startswith("Is"):
        return f"true: holds when the Variable is {_IS[name.removeprefix('Is')]}; false: when it is not."
    kind = next(kind for kind in _TYPES if name.startswith(kind))
    test = name.removeprefix(kind).removesuffix("Path")
    than = "the value under this path" if name.endswith("Path") else "this"
    return f"Holds when the Variable is {_TYPES[kind]}, {_TESTS[test]} {than}."
