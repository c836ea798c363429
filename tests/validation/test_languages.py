"""Whose query language a state has: its own, else that of the whole definition; validation and compiler agree."""

from __future__ import annotations

from typing import Any

import pytest

from sm_cli.asl.compile import compile_program
from sm_cli.asl.outline import outline
from sm_cli.asl.validation.validate import check
from sm_cli.diagnostics import Diagnostic
from sm_cli.testing import simulate

State = dict[str, Any]


def holding(kind: str, inner: State, **fields: Any) -> State:
    """A state A of one of the three kinds that hold a machine, with this machine in it."""
    if kind == "Branches":
        return {"Type": "Parallel", "Branches": [inner], "End": True, **fields}
    return {"Type": "Map", kind: inner, "End": True, **fields}


def machine(language: str | None, state: State, **more: Any) -> State:
    own = {} if language is None else {"QueryLanguage": language}
    return {**own, "StartAt": "A", "States": {"A": state}, **more}


def inner(state: State, **fields: Any) -> State:
    return {"StartAt": "B", "States": {"B": state, "C": {"Type": "Succeed"}}, **fields}


def errors(definition: State) -> list[Diagnostic]:
    return [each for each in check(definition)[1] if each.severity == "error"]


KINDS = ("ItemProcessor", "Iterator", "Branches")
CHOICE: State = {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "C"}], "Default": "C"}
PASS: State = {"Type": "Pass", "Next": "C"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("around", [None, "JSONPath", "JSONata"])
@pytest.mark.parametrize("own", ["JSONPath", "JSONata", "other"])
def test_an_inner_machine_with_a_language_of_its_own_is_refused(kind: str, around: str | None, own: str) -> None:
    [found, *rest] = errors(machine(around, holding(kind, inner(PASS, QueryLanguage=own))))
    place = "/States/A/Branches/0" if kind == "Branches" else f"/States/A/{kind}"
    assert (found.code, found.pointer, rest) == ("SM101", f"{place}/QueryLanguage", [])
    assert "its states have that of the whole definition" in found.message


@pytest.mark.parametrize("kind", KINDS)
def test_a_branch_of_a_branch_is_refused_too(kind: str) -> None:
    deep = holding(
        "Branches", {"StartAt": "D", "States": {"D": {"Type": "Pass", "End": True}}, "QueryLanguage": "JSONata"}
    )
    codes = [each.code for each in errors(machine(None, holding(kind, {"StartAt": "B", "States": {"B": deep}})))]
    assert codes == ["SM101"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("around", [None, "JSONPath", "JSONata"])
@pytest.mark.parametrize("holder", [None, "JSONata"])
@pytest.mark.parametrize("own", [None, "JSONata"])
@pytest.mark.parametrize("processor", [None, "JSONata", "JSONPath"])
def test_validation_and_compiler_read_every_state_in_one_language(
    kind: str, around: str | None, holder: str | None, own: str | None, processor: str | None
) -> None:
    state = {"Type": "Pass", "Next": "C"} | ({} if own is None else {"QueryLanguage": own})
    fields = {} if holder is None else {"QueryLanguage": holder}
    within = inner(state, **({} if processor is None else {"QueryLanguage": processor}))
    definition = machine(around, holding(kind, within, **fields))
    written = {state.pointer: state.language for each in outline(definition) for state in each.states.values()}
    program = compile_program(definition)
    compiled = {
        f"{pointer}/States/{name}": state.language.value
        for pointer, each in program.machines.items()
        for name, state in each.states.items()
    }
    assert compiled == written
    expected = own or around or "JSONPath"
    assert expected in {language for pointer, language in written.items() if pointer.endswith("/States/B")}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_holder_s_language_is_says_nothing_of_the_states_in_it(kind: str) -> None:
    fields: State = {"QueryLanguage": "JSONata"}
    if kind != "Branches":
        fields["Items"] = [1]
    [found] = errors(machine(None, holding(kind, inner(CHOICE), **fields)))[:1]
    assert found.code == "SM107"
    path: State = {"Type": "Choice", "Choices": [{"Variable": "$", "IsNumeric": True, "Next": "C"}], "Default": "C"}
    definition = machine(None, holding(kind, inner(path), **fields))
    assert errors(definition) == []
    assert simulate(definition, 1).status == "SUCCEEDED"


@pytest.mark.parametrize("kind", KINDS)
def test_an_ignored_language_of_an_inner_machine_changes_nothing_when_it_runs(kind: str) -> None:
    """Who passes the error over gets what the definition's own language says, and no bug of ours."""
    processor = f"{kind}: [{{" if kind == "Branches" else f"{kind}: {{"
    close = "}]" if kind == "Branches" else "}"
    text = f"""
StartAt: A
States:
  A:
    Type: {"Parallel" if kind == "Branches" else "Map"}
    {processor}
      QueryLanguage: JSONata,  # sm: ignore[SM101]
      StartAt: B,
      States: {{
        B: {{Type: Choice, Choices: [{{Variable: $, IsNumeric: true, Next: C}}], Default: D}},
        C: {{Type: Pass, Result: number, End: true}},
        D: {{Type: Pass, Result: none, End: true}}}}
    {close}
    End: true
"""
    assert [each for each in check(text)[1] if each.severity == "error"] == []
    outcome = simulate(text, 5 if kind == "Branches" else [5])
    assert (outcome.status, outcome.output) == ("SUCCEEDED", ["number"])


@pytest.mark.parametrize(
    ("language", "codes"),
    [
        ("jsonata", ["SM104"]),
        ("JSONAta", ["SM104"]),
        (5, ["SM104"]),
        ("JSONata", []),
        ("${Language}", ["SM107"]),
        ("%LANGUAGE%", ["SM107"]),
        ("JSONPath", ["SM107"]),
        (None, ["SM104"]),
    ],
)
@pytest.mark.parametrize("of_the_whole", [False, True])
def test_a_misspelt_language_is_one_mistake(language: Any, codes: list[str], of_the_whole: bool) -> None:
    """AWS takes every word but JSONPath for JSONata, and says that it is none of the two."""
    state: State = {"Type": "Pass", "Output": "{% 1 %}", "End": True}
    definition = (
        {"QueryLanguage": language, **machine(None, state)}
        if of_the_whole
        else machine(None, {**state, "QueryLanguage": language})
    )
    assert [each.code for each in errors(definition)] == codes
