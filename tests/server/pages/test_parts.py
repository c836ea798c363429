"""What pages are made of, without a browser: times, offers, rows of timelines, texts side by side, forms, files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest

from sm_cli.errors import NotFound, UsageError
from sm_cli.server.pages import statics
from sm_cli.server.pages.deeds import deed_of
from sm_cli.server.pages.executions.timeline_rows import PORTION, RowMaker, TimelineRow, lanes_text
from sm_cli.server.pages.moments import moment_of_text, span_words
from sm_cli.server.pages.rendering import data, pretty, static, with_query
from sm_cli.server.pages.workflows.texts import side_by_side
from sm_cli.store.records import HistoryEvent
from sm_cli.views.actions import Action, Do
from sm_cli.views.timeline.lanes import Timeline
from tests.server.pages.flows import HOSTILE
from tests.server.serving import TASK, Served

ARGUMENTS = {Do.SEND_MESSAGE: ("order", "A 1"), Do.COMPLETE_TASK: ("token",)}


@pytest.mark.parametrize("do", [*Do])
def test_whatever_can_be_done_is_offered(do: Do) -> None:
    deed = deed_of(Action(do, ARGUMENTS.get(do, ("a/b",))))
    assert deed is not None
    assert deed.text
    assert deed.kind == "command" or deed.address.startswith("/")
    assert "a/b" not in deed.address or deed.kind == "command", "an id is one part of an address"


def test_nothing_is_offered_where_only_time_helps() -> None:
    assert deed_of(None) is None


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(None, ""), (-5, "0 ms"), (12_000, "12 ms"), (3_400_000, "3.4 s"), (125_000_000, "2 m 5 s"),
     (11_100_000_000, "3 h 5 m"), (183_600_000_000, "2 d 3 h")],
)  # fmt: skip
def test_a_span_is_written_in_the_units_that_fit(microseconds: int | None, text: str) -> None:
    assert span_words(microseconds) == text


def test_a_moment_is_a_span_or_a_date() -> None:
    hour, day = moment_of_text("1h", "since"), moment_of_text(" 1d ", "since")
    assert hour - day == pytest.approx(23 * 3600 * 1_000_000, abs=5_000_000)
    assert moment_of_text("2026-01-31T00:00:00+00:00", "since") == 1_769_817_600_000_000
    for text in ("yesterday", "1y", "", "99999-01-01"):
        with pytest.raises(UsageError, match="since is a span"):
            moment_of_text(text, "since")


def test_an_address_keeps_its_parameters_and_changes_some() -> None:
    query = {"status": ["FAILED", "ABORTED"], "name": "a b&c", "after": "X"}
    assert with_query("/", query, after=None) == "/?status=FAILED&status=ABORTED&name=a+b%26c"
    assert with_query("/", {}, after=None) == "/"


def test_data_for_a_script_cannot_end_its_element() -> None:
    assert "<" not in data({"x": HOSTILE})
    assert "</script" not in data([HOSTILE])


def test_very_large_json_is_cut() -> None:
    assert len(pretty("x" * 300_000)) < 201_000
    assert pretty({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'


# -- timelines -------------------------------------------------------------------------------------


def items(count: int, failing: frozenset[int] = frozenset()) -> Timeline:
    """A Map of so many items, each one state."""

    def events() -> Iterator[tuple[int, int, str, dict[str, object]]]:
        yield 1, 0, "MapStateEntered", {"name": "Each", "input": None}
        yield 1, 1, "MapStateStarted", {"length": count}
        for i in range(count):
            yield i + 2, 2, "MapIterationStarted", {"name": "Each", "index": i}
            yield i + 2, 0, "PassStateEntered", {"name": "P", "input": i}
            if i in failing:
                yield i + 2, 0, "MapIterationFailed", {"name": "Each", "index": i}
            else:
                yield i + 2, 0, "PassStateExited", {"name": "P", "output": i}

    timeline = Timeline()
    timeline.add(
        HistoryEvent(1, n, before or n - 1, frame, n, type, detail)  # type: ignore[arg-type]
        for n, (frame, before, type, detail) in enumerate(events(), 1)
    )
    return timeline


def rows(timeline: Timeline, opened: set[str] | None = None, **portions: int) -> list[TimelineRow]:
    return RowMaker(opened, portions, 10_000).make(timeline)


def test_ten_thousand_items_are_one_row_until_somebody_opens_them() -> None:
    (row,) = rows(items(10_000))
    assert (row.key, row.folds, row.is_open, row.note) == ("v1", True, False, "all 10,000 succeeded")


def test_of_many_items_a_portion_is_made_and_those_that_failed_come_first() -> None:
    timeline = items(1000, frozenset({700, 900}))
    made = rows(timeline, {"v1"})
    assert len(made) == 1 + PORTION + 1
    assert [row.text for row in made[1:4]] == ["Each[700]", "Each[900]", "Each[0]"]
    assert made[-1].key == "mv1:200"
    assert made[-1].text == "Show 100 more of 900"
    assert len(rows(timeline, {"v1"}, v1=400)) == 1 + 400 + 1
    assert made[0].note == "998 succeeded, 2 failed"


def test_few_items_are_open_at_first_and_closed_on_demand() -> None:
    timeline = items(3)
    assert [row.text for row in rows(timeline)] == ["Each", "Each[0]", "P", "Each[1]", "P", "Each[2]", "P"]
    assert [row.depth for row in rows(timeline)] == [0, 1, 2, 1, 2, 1, 2]
    assert [row.text for row in rows(timeline, set())] == ["Each"]


def test_the_keys_of_rows_are_distinct() -> None:
    keys = [row.key for row in rows(items(5), {"v1"} | {f"l{n}" for n in range(2, 9)})]
    assert len(keys) == len(set(keys)) == 11


def test_lanes_are_summed_up_in_words() -> None:
    assert lanes_text([]) == ""
    (top,) = items(1).roots
    assert lanes_text(top.visits[0].lanes) == "1 succeeded"


# -- texts side by side ----------------------------------------------------------------------------


def test_what_differs_stands_side_by_side_with_some_lines_around() -> None:
    old = "\n".join(f"line {n}" for n in range(40))
    new = old.replace("line 20", "other 20").replace("line 30\n", "").replace("line 35", "line 35\nmore")
    lines = [*side_by_side(old, new)]
    assert [line.kind for line in lines if line.kind not in ("same", "skipped")] == ["changed", "removed", "added"]
    changed = next(line for line in lines if line.kind == "changed")
    assert (changed.before, changed.after) == (("21", "line 20"), ("21", "other 20"))
    assert lines[0].kind == "skipped"
    numbers = [int(line.before[0]) for line in lines if line.before[0]]
    assert all(a < b for a, b in pairwise(numbers))


def test_two_texts_that_are_the_same_differ_in_nothing() -> None:
    assert [*side_by_side("a\nb", "a\nb")] == []


# -- files and forms -------------------------------------------------------------------------------


def test_a_file_is_given_out_for_good_under_the_digest_of_its_content(world: Served) -> None:
    address = static("dash.css")
    assert re.fullmatch(r"/static/dash\.css\?v=[0-9a-f]{12}", address)
    answer = world.ask("GET", address, 200)
    assert answer.headers["cache-control"].endswith("immutable")
    assert answer.headers["content-type"].startswith("text/css")
    assert world.ask("GET", "/static/dash.css", 200).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["nothing.js", "../app.py", "vendor/../../app.py", "%2e%2e/app.py"])
def test_no_other_file_is_given_out(world: Served, name: str) -> None:
    assert world.http.get(f"/static/{name}").status_code == 404


def test_every_vendored_file_is_named_with_its_version_and_has_its_licence() -> None:
    sources = (statics.FILES / "vendor" / "SOURCES.md").read_text(encoding="utf-8")
    for file in (statics.FILES / "vendor").iterdir():
        if file.name.endswith((".js", ".css")):
            assert f"`{file.name}`" in sources, file.name
    licences = {file.name for file in (statics.FILES / "vendor" / "licences").iterdir()}
    assert licences == {"codemirror.txt", "dagre.txt", "htmx.txt", "idiomorph.txt", "uplot.txt"}


def test_no_template_or_script_of_ours_names_another_host() -> None:
    templates = [*(statics.FILES.parent / "templates").rglob("*.html")]  # type: ignore[attr-defined]
    scripts = [file for file in statics.FILES.iterdir() if file.name.endswith((".js", ".css"))]
    assert len(templates) > 25
    for file in (*templates, *scripts):
        hosts = re.findall(r"https?://[\w.]+", file.read_text(encoding="utf-8"))
        assert set(hosts) <= {"http://www.w3.org"}, file.name


def test_a_page_lets_nothing_run_but_files_of_ours(world: Served) -> None:
    policy = world.ask("GET", "/", 200).headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


def test_an_act_without_scripts_is_answered_by_a_page(world: Served) -> None:
    execution = world.start(TASK)
    answer = world.ask("POST", f"/executions/{execution.ref}/stop", 200)
    assert "<!doctype html>" in answer.text
    assert "is stopped" in answer.text
    assert "is ABORTED already" in world.ask("POST", f"/executions/{execution.ref}/stop", 409).text


def test_a_part_of_a_page_has_its_error_in_its_place(world: Served) -> None:
    answer = world.ask("GET", "/executions/nobody/head", 200, headers={"HX-Request": "true"})
    assert 'role="alert"' in answer.text
    assert "<!doctype html>" not in answer.text


def test_a_name_that_leads_out_of_the_folder_is_no_file() -> None:
    with pytest.raises(NotFound):
        statics._content("../settings.py")
