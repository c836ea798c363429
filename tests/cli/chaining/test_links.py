"""`sm links`, and the links that `show` and `graph` tell of."""

from __future__ import annotations

import pytest

from tests.cli.chaining.test_from_execution import SAME, A
from tests.cli.conftest import Project


@pytest.fixture
def chain(project: Project) -> Project:
    """a -> b (by P1), a -> c, b -> c."""
    for name, text in (("A", A), ("B", SAME), ("C", SAME)):
        project.workflow(text, f"{name}.yaml")
    for words in (
        ("A", "--name", "a"),
        ("B", "--name", "b", "--from-execution", "a:P1", "--transform", "[1]"),
        ("C", "--name", "c-1", "--from-execution", "a"),
        ("C", "--name", "c-2", "--from-execution", "b"),
    ):
        assert project.sm("run", *words).code == 0  # fmt: skip
    return project


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((), ["b>c-2", "a>c-1", "a>b"]),
        (("a",), ["a>c-1", "a>b"]),
        (("b",), ["b>c-2", "a>b"]),
        (("c-1",), ["a>c-1"]),
        (("--source-workflow", "A"), ["a>c-1", "a>b"]),
        (("--target-workflow", "C"), ["b>c-2", "a>c-1"]),
        (("--source-workflow", "A", "--target-workflow", "C"), ["a>c-1"]),
        (("--state", "P1"), ["a>b"]),
        (("b", "--state", "P2"), []),
        (("--since", "1h"), ["b>c-2", "a>c-1", "a>b"]),
        (("--since", "2100-01-01"), []),
        (("--limit", "1"), ["b>c-2"]),
    ],
)
def test_links_are_chosen_by_execution_workflows_state_and_time(
    chain: Project, words: tuple[str, ...], wanted: list[str]
) -> None:
    links = chain.sm("links", *words, "--json").json
    assert [f"{link['source']['name']}>{link['target']['name']}" for link in links] == wanted


def test_no_link_is_a_sentence(project: Project) -> None:
    project.database()
    nothing = project.sm("links")
    assert (nothing.code, nothing.out) == (0, "")
    assert "sm run WORKFLOW --from-execution EXECUTION does that" in nothing.err
    assert project.sm("links", "--json").json == []
    assert project.sm("links", "--state", "S").err == "there is no such link\n"
    assert project.sm("links", "nobody").code == 3
    assert project.sm("links", "--limit", "0").code == 2


def test_show_tells_of_both_directions(chain: Project) -> None:
    found = chain.sm("show", "b", "--json").json
    assert (found["started_from"]["name"], found["started_from"]["state"], found["started_from"]["transform"]) == (
        "a", "P1", "[1]",
    )  # fmt: skip
    assert [(each["name"], each["state"], each["status"]) for each in found["led_to"]] == [("c-2", None, "SUCCEEDED")]
    text = chain.sm("show", "b").out
    assert f"from        P1 in {found['started_from']['id']} of A, by [1]\n" in text
    assert f"led to      {found['led_to'][0]['id']} of C, SUCCEEDED\n" in text
    alone = chain.sm("show", "a", "--json").json
    assert (alone["started_from"], len(alone["led_to"])) == (None, 2)


def test_of_many_targets_show_tells_the_newest(chain: Project) -> None:
    for _ in range(10):
        assert chain.sm("run", "C", "--from-execution", "a", "--detach").code == 0
    text = chain.sm("show", "a").out
    assert text.count(" of C, SUCCEEDED") == 10
    assert f"and more: sm links {chain.sm('show', 'a', '--json').json['id']}" in text


def test_graph_draws_both_directions(chain: Project) -> None:
    a, b, c = (chain.sm("show", name, "--json").json["id"] for name in ("a", "b", "c-2"))
    lines = chain.sm("graph", "--execution", "b", "--links").out.splitlines()
    assert (lines[0], lines[-1]) == (f"from    A {a} SUCCEEDED, state P1", f"led to  C {c} SUCCEEDED")
    mermaid = chain.sm("graph", "--execution", "b", "--links", "--format", "mermaid").out
    assert f'link0{{{{"A<br/>{a}<br/>SUCCEEDED"}}}}' in mermaid
    assert 'link0 -.->|"P1"| begin' in mermaid
    assert "n0 -.-> link1" in mermaid
    dot = chain.sm("graph", "--execution", "a", "--links", "--format", "dot").out
    assert f'link0 [label="B\\n{b}\\nSUCCEEDED", shape=hexagon];' in dot
    assert "n0 -> link0 [style=dashed];" in dot
    assert "n1 -> link1 [style=dashed];" in dot
    plain = chain.sm("graph", "--execution", "b").out
    assert "from" not in plain
    assert "--links belongs to --execution" in chain.sm("graph", "A", "--links").err


def test_an_execution_that_was_deleted_is_told_as_that(chain: Project) -> None:
    chain.workflow("StartAt: W\nStates: {W: {Type: Message, CorrelationKey: k, CorrelationValue: 1, End: true}}\n",
                   "waits.yaml")  # fmt: skip
    assert chain.sm("run", "waits", "--name", "w", "--from-execution", "a:P1", "--detach").code == 0
    a = chain.sm("show", "a", "--json").json["id"]
    assert chain.sm("db", "prune", "--older-than", "0s").code == 0
    (link,) = chain.sm("links", "--json").json
    assert link["source"] == {"id": a, "name": None, "workflow": "A", "status": None}
    assert f"from        P1 in {a} of A (deleted)\n" in chain.sm("show", "w").out
    assert chain.sm("db", "check").code == 0
    assert chain.sm("graph", "--execution", "w", "--links").out.startswith(f"from    A {a} deleted, state P1\n")
