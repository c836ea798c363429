"""Names of executions: which may be, and when one is taken."""

from __future__ import annotations

import pytest

from sm_cli.engine.execution_names import check_name, same_execution
from sm_cli.errors import Conflict, UsageError
from sm_cli.jsonvalue import Json
from sm_cli.store.records import Status
from tests.store.samples import execution


@pytest.mark.parametrize("name", ["a", "A-1_b.c", "x" * 80, "größe", "名前", "a(b)", "it's", "a+b=c@d!"])
def test_a_name_has_up_to_eighty_characters_that_can_be_read(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "a name has 1 to 80 characters; this one has 0"),
        ("x" * 81, "this one has 81"),
        ("a b", "holds ' ', which a name may not"),
        ("a/b:c", "holds '/', ':', which"),
        ("a\nb", "holds '\\n'"),
        ("a\x00", "holds '\\x00'"),
        ("a\u202eb", "holds '\\u202e'"),
        ("b?a?", "holds '?', which"),
        (" " * 99, "holds ' '"),
    ],
)
def test_another_name_is_refused_with_what_is_wrong(name: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_name(name)
    assert says in refused.value.message
    assert refused.value.message.isprintable()


@pytest.mark.parametrize("character", '<>{}[]?*"#%\\^|~`$&,;:/ \t\r\n')
def test_each_character_that_aws_forbids_is_refused(character: str) -> None:
    with pytest.raises(UsageError):
        check_name(f"a{character}b")


@pytest.mark.parametrize("input", [{"a": 1, "b": 2}, {"b": 2, "a": 1}])
def test_the_same_name_and_input_while_it_runs_is_the_same_execution(input: Json) -> None:
    known = execution(1, input={"a": 1, "b": 2})
    assert same_execution(known, input) is known


@pytest.mark.parametrize("input", [{"a": 1}, {"a": 1, "b": 2.5}, {"a": 1, "b": "2"}, None, []])
def test_another_input_is_a_conflict(input: Json) -> None:
    with pytest.raises(Conflict, match="is taken by a running execution with another input"):
        same_execution(execution(1, input={"a": 1, "b": 2}), input)


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.ABORTED, Status.TIMED_OUT])
def test_a_name_stays_taken_when_its_execution_has_ended(status: Status) -> None:
    with pytest.raises(Conflict, match=f"'name-1' is taken by an execution that is {status}; use another name"):
        same_execution(execution(1, status=status, input=1), 1)
