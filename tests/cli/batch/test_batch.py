"""`sm batch`: from the items to the results, as a person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Project

ORDER = """
    StartAt: Work
    States:
      Work: {Type: Task, Resource: work, End: true}
"""
WORK = """
    @handler
    def work(input, context):
        if input.get("bad"):
            raise ValueError(f"{input['n']} is bad")
        return {"did": input["n"]}
"""


@pytest.fixture
def shop(project: Project) -> Project:
    project.workflow(ORDER)
    project.handlers(WORK)
    return project


def items(shop: Project, count: int, *bad: int, name: str = "items.jsonl") -> str:
    lines = [json.dumps({"n": n, "bad": n in bad}) for n in range(count)]
    shop.write(name, "\n".join(lines) + "\n")
    return name


def test_every_item_is_an_execution_and_has_a_row_of_results(shop: Project) -> None:
    result = shop.sm(
        "batch", "run", "order", "--inputs", items(shop, 5, 2), "--name-prefix", "p", "--results", "r.jsonl"
    )
    assert result.code == 1
    assert "5 items: 4 succeeded, 1 failed" in result.err
    assert "p-2: ValueError: 2 is bad" in result.err
    rows = [json.loads(line) for line in Path("r.jsonl").read_text().splitlines()]
    assert [(row["index"], row["name"], row["status"]) for row in rows] == [
        (0, "p-0", "SUCCEEDED"), (1, "p-1", "SUCCEEDED"), (2, "p-2", "FAILED"), (3, "p-3", "SUCCEEDED"),
        (4, "p-4", "SUCCEEDED"),
    ]  # fmt: skip
    assert rows[3]["output"] == {"did": 3}
    assert shop.sm("show", "p-3", "--json").json["status"] == "SUCCEEDED"
    assert [each["name"] for each in shop.sm("list", "--workflow", "order", "--json").json][:2] == ["p-4", "p-3"]
    again = shop.sm("batch", "results", result.out.strip())
    assert [json.loads(line) for line in again.out.splitlines()] == rows
    unknown = shop.sm("batch", "results", "p", "--status", "faild")
    assert (unknown.code, "--status takes PENDING, RUNNING," in unknown.err) == (2, True)
    failures = shop.sm("batch", "results", "p", "--status", "failed")
    assert [json.loads(line)["name"] for line in failures.out.splitlines()] == ["p-2"]


def test_the_whole_succeeds_with_exit_code_0_and_prints_the_batchs_id(shop: Project) -> None:
    result = shop.sm("batch", "run", "order", "--inputs", items(shop, 3))
    assert result.code == 0
    assert shop.sm("batch", "show", result.out.strip(), "--json").json["item_counts"] == {
        "total": 3, "succeeded": 3, "failed": 0, "existing": 0, "running": 0, "skipped": 0,
    }  # fmt: skip


def test_jsonl_prints_a_line_for_each_execution_that_has_ended(shop: Project) -> None:
    result = shop.sm("batch", "run", "order", "--inputs", items(shop, 20, 7), "-o", "jsonl")
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert sorted(row["index"] for row in rows) == list(range(20))
    assert [row["index"] for row in rows if row["status"] == "FAILED"] == [7]


def test_a_dry_run_starts_nothing(shop: Project) -> None:
    result = shop.sm("batch", "run", "order", "--inputs", items(shop, 4), "--name-prefix", "p", "--dry-run")
    assert result.code == 0
    assert result.out.splitlines() == [
        "would start 4 executions of order", '  p-0  {"n":0,"bad":false}', '  p-1  {"n":1,"bad":false}',
        '  p-2  {"n":2,"bad":false}',
    ]  # fmt: skip
    assert shop.sm("batch", "list", "--json").json == []
    document = shop.sm("batch", "run", "order", "--inputs", "items.jsonl", "--dry-run", "--json").json
    assert (document["item_count"], document["existing"]) == (4, 0)


def test_stdin_is_kept_in_the_database_and_workers_go_on_with_it(shop: Project) -> None:
    given = "".join(f'{{"n": {n}}}\n' for n in range(3))
    made = shop.sm("batch", "run", "order", "--inputs", "-", "--detach", stdin=given)
    assert made.code == 0
    count = "select count(*) n from batch_items"
    assert shop.sm("db", "query", count, "--json").json == [{"n": 1}]
    assert shop.sm("worker", "--drain").code == 0
    assert len(shop.sm("batch", "results", made.out.strip()).out.splitlines()) == 3
    assert shop.sm("db", "query", count, "--json").json == [{"n": 0}]
    array = shop.sm("batch", "run", "order", "--inputs", "-", "-o", "jsonl", stdin='\n [{"n": 1}, {"n": 2}]')
    assert len(array.out.splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.jsonl", "", "empty.jsonl has no items"),
        ("blank.jsonl", "\n \n", "blank.jsonl has no items"),
        ("bad.jsonl", '{"n": 1}\n{"n": 2}\nnonsense\n', "bad.jsonl is not JSON: Expecting value at line 3, column 1"),
        ("long.jsonl", '{"n": 1}\n"' + "x" * (10 << 20) + '"\n', "line 2 of "),
        ("no.csv", "1,2\n3,4\n", "the first row of "),
        ("blank.csv", "a,,b\n1,2,3\n", "does not name its columns: field 2 is blank"),
        ("only.csv", "a,b\n", "only.csv has no items"),
        ("broken.json", '[{"n": 1}, {"n"', "broken.json is not JSON"),
        ("scalar.json", "12", "non-iterable"),
        ("items.txt", "1\n", "does not say what it holds"),
        ("no.parquet", "x", "no.parquet"),
    ],
)
def test_items_that_cannot_be_read_are_refused_before_anything_starts(
    shop: Project, name: str, content: str, sentence: str
) -> None:
    shop.write(name, content)
    result = shop.sm("batch", "run", "order", "--inputs", name)
    assert result.code == 2
    assert sentence in result.err
    assert shop.sm("batch", "list", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "a batch needs items"),
        (("--inputs", "nowhere.jsonl"), "nowhere.jsonl cannot be read: No such file or directory"),
        (("--inputs", "s3://nowhere/x.jsonl"), "NoSuchBucket"),
        (("--inputs", "items.jsonl", "--name-prefix", "p" * 73), "at most 72 characters"),
        (("--inputs", "items.jsonl", "--name-prefix", "a b"), "which a name may not"),
        (("--inputs", "items.jsonl", "--concurrency", "many"), "--concurrency takes a whole number"),
        (("--inputs", "items.jsonl", "--max-failure-rate", "101%"), "a percentage between 0 and 100"),
        (("--inputs", "items.jsonl", "--pause-at", "20%"), "judge rounds"),
        (("--inputs", "items.jsonl", "--min-samples", "20"), "of no use without"),
        (("--inputs", "items.jsonl", "--format", "xml"), "--format takes jsonl"),
        (("--inputs", "items.jsonl", "--detach", "--results", "r.jsonl"), "sm batch results"),
        (("--inputs", "items.jsonl", "--results", "no/such/folder/r"), "cannot be written"),
    ],
)
def test_options_that_cannot_be_are_a_sentence(shop: Project, arguments: tuple[str, ...], sentence: str) -> None:
    items(shop, 2)
    result = shop.sm("batch", "run", "order", *arguments)
    assert result.code == 2
    assert sentence in result.err
    assert "Traceback" not in result.err


def test_rows_of_csv_and_objects_of_a_bucket_are_items(shop: Project) -> None:
    shop.workflow("StartAt: P\nStates:\n  P: {Type: Pass, End: true}\n", "echo.yaml")
    shop.write("rows.csv", "id,name\n1,a\n2,b\n")
    shop.write("buckets/orders/in/rows.jsonl", '{"x": 1}\n')
    csv = shop.sm("batch", "run", "echo", "--inputs", "rows.csv")
    assert csv.code == 0
    rows = [json.loads(line) for line in shop.sm("batch", "results", csv.out.strip()).out.splitlines()]
    assert [row["output"] for row in rows] == [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}]
    bucket = shop.sm("batch", "run", "echo", "--inputs", "s3://orders/in/rows.jsonl")
    assert bucket.code == 0
    assert json.loads(shop.sm("batch", "results", bucket.out.strip()).out)["output"] == {"x": 1}


def test_a_batch_pauses_for_a_person_who_resumes_it(shop: Project) -> None:
    arguments = ("--micro-batch", "10", "--pause-at", "20%", "--name-prefix", "p")
    result = shop.sm("batch", "run", "order", "--inputs", items(shop, 30, 0, 1, 2), *arguments)
    assert result.code == 6
    assert "PAUSED" in result.err
    assert "3 of 10 items of round 1 failed, which is above 20 %" in result.err
    shown = shop.sm("batch", "show", "p", "--json").json
    assert (shown["status"], shown["paused_by"], shown["round"]["number"]) == ("PAUSED", "failures", 1)
    assert "3 of 10 items of round 1 failed" in shop.sm("batch", "show", "p").out
    assert shop.sm("batch", "resume", "p").code == 0
    assert shop.sm("batch", "resume", "p").code == 4
    assert shop.sm("worker", "--drain").code == 0
    assert shop.sm("batch", "show", "p", "--json").json["item_counts"]["succeeded"] == 27


def test_pausing_cancelling_and_trying_again(shop: Project) -> None:
    shop.sm("batch", "run", "order", "--inputs", items(shop, 10), "--name-prefix", "p", "--detach")
    assert shop.sm("batch", "pause", "p").code == 0
    assert "PAUSED" in shop.sm("batch", "list").out
    assert shop.sm("batch", "cancel", "p").code == 0
    assert shop.sm("batch", "cancel", "p").code == 4
    statuses = [json.loads(line)["status"] for line in shop.sm("batch", "results", "p").out.splitlines()]
    assert statuses == ["SKIPPED"] * 10
    assert shop.sm("batch", "retry-failed", "p").code == 0
    assert shop.sm("worker", "--drain").code == 0
    assert shop.sm("batch", "results", "p").out.count("SUCCEEDED") == 10
    assert shop.sm("batch", "retry-failed", "p").code == 4


def test_limits_can_be_changed_while_it_runs(shop: Project) -> None:
    shop.sm("batch", "run", "order", "--inputs", items(shop, 10), "--name-prefix", "p", "--detach")
    assert shop.sm("batch", "update", "p", "--concurrency", "2", "--max-failure-rate", "5%").code == 0
    shown = shop.sm("batch", "show", "p", "--json").json
    assert (shown["concurrency"], shown["max_failure_rate"]) == (2, 5)
    assert shop.sm("batch", "update", "p").code == 2
    assert shop.sm("batch", "update", "p", "--concurrency", "10001").code == 2


def test_what_is_no_batch_is_told(shop: Project) -> None:
    assert shop.sm("run", "order", "n=1", "--name", "one").code == 0
    result = shop.sm("batch", "show", "one")
    assert (result.code, "is no batch, but one of order" in result.err) == (3, True)
    assert shop.sm("batch", "show", "@last").code == 3
    assert shop.sm("batch", "pause", "nothing").code == 3


def test_the_follower_sees_how_it_ends(shop: Project) -> None:
    made = shop.sm("batch", "run", "order", "--inputs", items(shop, 3))
    result = shop.sm("batch", "show", made.out.strip(), "--follow")
    assert result.code == 0
    assert "SUCCEEDED" in result.err


def test_a_batch_goes_through_executions_and_takes_none_twice(shop: Project) -> None:
    shop.workflow("StartAt: P\nStates:\n  P: {Type: Pass, End: true}\n", "echo.yaml")
    for n in range(3):
        assert shop.sm("run", "order", f"n={n}", "--name", f"s{n}").code == 0
    over = ("--from-executions", "--workflow", "order", "--unique")
    dry = shop.sm("batch", "run", "echo", *over, "--name-prefix", "p", "--limit", "2", "--dry-run")
    assert dry.out.splitlines() == ["would start 2 executions of echo", '  p-0  {"did":0}', '  p-1  {"did":1}']
    made = shop.sm(
        "batch", "run", "echo", *over, "--name-prefix", "p", "--transform", '{"twice": $states.input.did * 2}'
    )
    assert made.code == 0
    rows = [json.loads(line) for line in shop.sm("batch", "results", "p").out.splitlines()]
    assert [row["output"] for row in rows] == [{"twice": 0}, {"twice": 2}, {"twice": 4}]
    assert len(shop.sm("links", "--target-workflow", "echo", "--json").json) == 3
    again = shop.sm("batch", "run", "echo", *over, "--name-prefix", "q", "-o", "json")
    assert again.json["item_counts"]["existing"] == 3
    assert "executions" in shop.sm("batch", "show", "q").out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--from-executions", "--inputs", "items.jsonl"), 2, "one of them is too many"),
        (("--inputs", "items.jsonl", "--unique"), 2, "--unique chooses executions"),
        (("--from-executions", "--workflow", "nobody"), 2, "no execution is one of these"),
        (("--from-executions", "--state", "Nowhere"), 3, "has no state 'Nowhere'"),
        (("--from-executions", "--transform", "{% 1 + %}"), 2, "is no JSONata"),
        (("--from-executions", "--transform", "name:nobody"), 8, "no transformer is named 'nobody'"),
        (("--from-executions", "--since", "yesterday at noon"), 2, "--since"),
    ],
)
def test_sources_that_cannot_be_are_a_sentence(
    shop: Project, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    items(shop, 2)
    assert shop.sm("run", "order", "n=1").code == 0
    result = shop.sm("batch", "run", "order", *arguments)
    assert (result.code, sentence in result.err) == (code, True), result.err
    assert shop.sm("batch", "list", "--json").json == []


def test_a_version_is_run_by_its_number(shop: Project) -> None:
    assert shop.sm("run", "order", "n=1").code == 0
    result = shop.sm("batch", "run", "order:1", "--inputs", items(shop, 2), "--name-prefix", "p")
    assert result.code == 0
    assert shop.sm("show", "p-1", "--json").json["workflow"] == "order"
