"""Definition to graph, conditions to words, and the Mermaid and DOT texts: nothing of a name reaches their grammar."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_cli.asl.graph.conditions import condition_text
from sm_cli.asl.graph.dot import to_dot
from sm_cli.asl.graph.graph import Edge, Mark, graph_of
from sm_cli.asl.graph.mermaid import to_mermaid
from sm_cli.asl.graph.words import plain, shorten, width_of

ORDER: dict[str, Any] = {
    "StartAt": "Wait",
    "States": {
        "Wait": {
            "Type": "Message",
            "CorrelationKey": "orderId",
            "CorrelationValuePath": "$.id",
            "TimeoutSeconds": 60,
            "TimeoutPath": "Late",
            "Next": "Check",
        },
        "Check": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.total", "NumericGreaterThan": 1000, "Next": "Pack"}],
            "Default": "Gone",
        },
        "Pack": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "MaxConcurrency": 2,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "One",
                "States": {"One": {"Type": "Task", "Resource": "pack:one", "End": True}},
            },
            "Catch": [{"ErrorEquals": ["Full", "States.ALL"], "Next": "Late"}],
            "End": True,
        },
        "Late": {"Type": "Fail", "Error": "Late"},
    },
}


def test_edges_have_kinds_and_labels() -> None:
    assert graph_of(ORDER).edges == (
        Edge("Wait", "Check", "next"),
        Edge("Wait", "Late", "timeout", "timeout"),
        Edge("Check", "Pack", "rule", "$.total > 1000"),
        Edge("Check", "Gone", "default", "default"),
        Edge("Pack", "Late", "catch", "Catch Full, States.ALL"),
    )


def test_nodes_say_what_they_do_and_groups_what_they_are() -> None:
    nodes = {node.name: node for node in graph_of(ORDER).nodes}
    assert nodes["Wait"].detail == "orderId = $.id, at most 60 s"
    assert nodes["Gone"].missing and not nodes["Check"].missing
    assert [name for name, node in nodes.items() if node.ends] == ["Pack", "Late"]
    (group,) = nodes["Pack"].groups
    assert (group.title, group.start) == ("each item of $.items, 2 at once, distributed", "One")
    assert [node.id for node in group.nodes] == [("/States/Pack/ItemProcessor", "One")]


@pytest.mark.parametrize(
    ("state", "detail"),
    [
        ({"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:Pay:7"}, "Pay"),
        ({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken"},
         "sqs:sendMessage.waitForTaskToken"),
        ({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "Pay"}}, "Pay"),
        ({"Type": "Task"}, ""),
        ({"Type": "Wait", "Seconds": 5}, "5 s"),
        ({"Type": "Wait", "SecondsPath": "$.s"}, "$.s s"),
        ({"Type": "Wait", "QueryLanguage": "JSONata", "Seconds": "{% $x %}"}, "$x s"),
        ({"Type": "Wait", "Timestamp": "2024-01-01T00:00:00Z"}, "until 2024-01-01T00:00:00Z"),
        ({"Type": "Wait"}, ""),
        ({"Type": "Fail", "ErrorPath": "$.e"}, "$.e"),
        ({"Type": "Message", "CorrelationKey": "k"}, "k"),
        ({"Type": 7}, ""),
        ({}, ""),
        ("no object", ""),
    ],
)  # fmt: skip
def test_every_state_has_a_detail_also_a_wrong_one(state: Any, detail: str) -> None:
    (node,) = graph_of({"StartAt": "S", "States": {"S": state}}).nodes
    assert node.detail == detail


def _is(operator: str, operand: Any) -> dict[str, Any]:
    return {"Variable": "$.x", operator: operand}


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (_is("NumericGreaterThan", 1000), "$.x > 1000"),
        (_is("NumericLessThanEquals", 1.5), "$.x <= 1.5"),
        (_is("NumericEqualsPath", "$.y"), "$.x = $.y"),
        (_is("StringEquals", "$.y"), '$.x = "$.y"'),
        (_is("StringMatches", "a*"), '$.x matches "a*"'),
        (_is("BooleanEquals", True), "$.x = true"),
        (_is("TimestampLessThan", "2024-01-01T00:00:00Z"), "$.x < 2024-01-01T00:00:00Z"),
        (_is("TimestampGreaterThanEqualsPath", "$.t"), "$.x >= $.t"),
        (_is("IsPresent", True), "$.x is present"),
        (_is("IsNull", False), "$.x is not null"),
        ({"Not": _is("IsString", True)}, "not ($.x is text)"),
        ({"And": [_is("NumericLessThan", 1), _is("IsNumeric", True)]}, "$.x < 1 and $.x is a number"),
        ({"Or": [{"And": [_is("IsNull", True), _is("IsNull", True)]}, _is("NumericEquals", 2)]},
         "($.x is null and $.x is null) or $.x = 2"),
        ({"Not": {"Or": [_is("IsNull", True), _is("NumericEquals", 2)]}}, "not ($.x is null or $.x = 2)"),
        ({"Condition": "{% $states.input.total > 5 %}"}, "$states.input.total > 5"),
        ({"Condition": True}, "true"),
        ({}, "? ?"),
        ({"Variable": 3, "NumericEquals": 1}, "? = 1"),
        (_is("NumericIsh", 2), "$.x ?"),
        ({"And": 1}, "?"),
        ({"And": []}, "?"),
        ({"Or": [None]}, "?"),
        ({"Not": 1}, "not (?)"),
    ],
)  # fmt: skip
def test_a_rule_is_written_as_a_person_would(rule: dict[str, Any], text: str) -> None:
    assert condition_text(rule) == text


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["StartAt", "States", "Type", "Next", "End", "Branches", "ItemProcessor", "Choices", "Default", "Catch",
             "ErrorEquals", "And", "Not", "Variable", "Condition", "TimeoutPath", "Seconds", "Resource", "A", "B"]
        ),
        inner | st.sampled_from(["A", "B", "Task", "Choice", "Parallel", "Map", "Message", "Wait"]),
        max_size=5,
    ),
    max_leaves=40,
)  # fmt: skip


@given(ANY)
def test_no_value_whatever_makes_a_graph_raise(definition: Any) -> None:
    graph = graph_of({"StartAt": "A", "States": {"A": definition, "B": definition}})
    assert to_mermaid(graph).startswith("flowchart TD\n")
    assert to_dot(graph).endswith("}\n")


def _named(name: str) -> dict[str, Any]:
    choice = {"Type": "Choice", "Choices": [{"Variable": name, "StringEquals": name, "Next": name}], "Default": name}
    return {"StartAt": name, "States": {name: {"Type": "Pass", "Next": "Other"}, "Other": choice}}


NASTY = [
    'say "hi"', "a]b[c", "{x}", "-->", "a --> b", "&lt;b&gt;", "<b>", "#35;", "#quot;", "end", "a\nb", "1. one",
    "- one", "`md`", "**bold**", "style: a:#f;", "classDef x:#f;", "%% c", "a;b", "a|b", "C:\\new", r"\N\G\l",
    "ﬂ°°35¶ß", "日本", "",
]  # fmt: skip
MERMAID = re.compile(
    r"flowchart TD"
    r"|    (begin\(\(\" \"\)\)|finish\(\(\(\" \"\)\)\))"
    r'|    n\d+(\[|\{)"[^"]*"(\]|\})'
    r'|    (n\d+|begin) (-->|-\.->)(\|"[^"]*"\|)? (n\d+|finish)'
)


@pytest.mark.parametrize("name", NASTY)
def test_a_name_stays_out_of_the_grammar_of_mermaid(name: str) -> None:
    lines = to_mermaid(graph_of(_named(name))).splitlines()
    assert [line for line in lines if not MERMAID.fullmatch(line)] == []
    label = re.search(r'n0\["(.*)<br/>Pass"\]', "\n".join(lines))
    text = label[1] if label else ""
    assert re.sub(r"#(\d+);", lambda code: chr(int(code[1])), text) == plain(name)
    # What Mermaid itself looks for before it parses.
    assert not re.search(r"[`<>&;|%ﬂ¶]", re.sub(r"#\d+;", "", text))
    assert not re.search(r"(style|classDef).*:\S*#", "\n".join(lines))


@pytest.mark.parametrize("name", NASTY)
def test_a_name_stays_out_of_the_grammar_of_dot(name: str) -> None:
    text = to_dot(graph_of(_named(name)))
    label = re.search(r'n0 \[label="((?:[^"\\]|\\.)*)"\];', text)
    assert label is not None
    lines = re.split(r"(?<!\\)(?:\\\\)*\\n", label[1].replace("\\\\", "\0"))
    shown = lines[0].replace("\0", "\\").replace('\\"', '"').replace("&amp;", "&")
    assert shown == (plain(name) or "Pass")
    assert re.sub(r'"(?:[^"\\]|\\.)*"', '""', text).count("->") == 4


def test_mermaid_shows_groups_marks_and_missing_states() -> None:
    text = to_mermaid(graph_of(ORDER), {("", "Pack"): Mark("FAILED", 2), ("", "gone since"): Mark("FAILED")})
    assert 'subgraph n2_0["each item of $.items, 2 at once, distributed"]' in text
    assert "✗ Pack ×2" in text
    assert "class n2 failed" in text
    assert "class n4 missing" in text
    assert 'n2 -.->|"Catch Full, States.ALL"| n3' in text


def test_dot_shows_groups_marks_and_missing_states() -> None:
    text = to_dot(graph_of(ORDER), {("", "Pack"): Mark("RUNNING")})
    assert "subgraph cluster_n2_0 {" in text
    assert 'n2 [label="● Pack\\nMap", fillcolor="#dbeafe", color="#2563eb", penwidth=2];' in text
    assert 'n4 [label="Gone\\nmissing", style="rounded,dashed", color="#dc2626"];' in text


@given(st.text(), st.integers(0, 30))
def test_a_shortened_text_fits_and_is_plain(text: str, width: int) -> None:
    short = shorten(text, width)
    assert width_of(short) <= width
    assert short.isprintable() or short.isspace() or any(c.isspace() for c in short)
    assert plain(short) == short


@pytest.mark.parametrize(
    ("more", "title"),
    [
        (
            {
                "ItemReader": {"Parameters": {"Bucket": "b", "Key": "k.csv"}},
                "ResultWriter": {"Arguments": {"Bucket": "r"}},
            },
            "each item of s3://b/k.csv, distributed, results to s3://r/",
        ),
        ({"ItemReader": {"Parameters": {"Bucket.$": "$.b", "Prefix": "p"}}}, "each item of s3://$.b/p, distributed"),
        ({"ItemReader": {"Parameters": {"Bucket": 7}}, "ResultWriter": []}, "each item, distributed"),
    ],
)
def test_a_distributed_map_says_what_it_reads_and_where_it_writes(more: dict[str, Any], title: str) -> None:
    processor: Any = {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "I", "States": {"I": {"Type": "Succeed"}}}
    (node,) = graph_of({"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": processor, **more}}}).nodes
    assert node.groups[0].title == title
