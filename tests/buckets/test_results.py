"""Result files and their manifest; whole or not at all, the same when they are written again."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import textwrap
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sm_cli.buckets import Buckets, ChildResult, ResultWriterFailed, RunFacts, transform
from sm_cli.buckets import drafts as drafts_module
from sm_cli.buckets.drafts import Draft, sweep_drafts
from sm_cli.buckets.place import Place
from sm_cli.buckets.results import LARGEST_FILE, write_results
from sm_cli.jsonvalue import Json
from tests.buckets.making import everything, get

_PROJECT = Path(__file__).resolve().parents[2]
_MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:orders/Map"
_RUN = RunFacts("arn:aws:states:us-east-1:123456789012:mapRun:orders/Map:ad9b5f27", "ad9b5f27")
_STARTED = 1738633790099000


def child(n: int, status: Any = "SUCCEEDED", output: Json = None, **more: Any) -> ChildResult:
    facts: dict[str, Any] = {"input": {"n": n}, "started": _STARTED, "closed": _STARTED + 64_999, **more}
    return ChildResult(f"arn:…:execution:orders/Map:{n}", str(n), _MACHINE, status, output=output, **facts)


def request(config: Json = None, **arguments: Json) -> dict[str, Json]:
    return {
        "arguments": {"Bucket": "results", "Prefix": "jobs", **arguments},
        "config": {} if config is None else config,
    }


def files(root: Path, folder: str = "results/jobs/ad9b5f27") -> dict[str, str]:
    return {path.name: path.read_text() for path in (root / folder).iterdir()}


def test_the_result_names_the_manifest_and_the_manifest_the_files(tmp_path: Path) -> None:
    results = [
        child(0, output=1),
        child(1, "FAILED", error="E"),
        child(2, "TIMED_OUT"),
        child(3, "ABORTED"),
        child(4, "PENDING"),
    ]
    assert Buckets(tmp_path).write_results(request(), iter(results), _RUN) == {
        "MapRunArn": _RUN.map_run_arn,
        "ResultWriterDetails": {"Bucket": "results", "Key": "jobs/ad9b5f27/manifest.json"},
    }
    written = files(tmp_path)
    assert json.loads(written["manifest.json"]) == {
        "DestinationBucket": "results",
        "MapRunArn": _RUN.map_run_arn,
        "ResultFiles": {
            status: [{"Key": f"jobs/ad9b5f27/{status}_0.json", "Size": len(written[f"{status}_0.json"].encode())}]
            for status in ("FAILED", "PENDING", "SUCCEEDED")
        },
    }
    assert sorted(written) == ["FAILED_0.json", "PENDING_0.json", "SUCCEEDED_0.json", "manifest.json"]
    assert [each["Name"] for each in json.loads(written["FAILED_0.json"])] == ["1", "2", "3"]
    assert [each["Status"] for each in json.loads(written["FAILED_0.json"])] == ["FAILED", "TIMED_OUT", "ABORTED"]


def test_the_entry_of_a_child_that_succeeded(tmp_path: Path) -> None:
    Buckets(tmp_path).write_results(request(), [child(7, output=[{"id": "ä"}])], _RUN)
    [entry] = json.loads(files(tmp_path)["SUCCEEDED_0.json"])
    assert entry == {
        "ExecutionArn": "arn:…:execution:orders/Map:7",
        "Input": '{"n":7}',
        "InputDetails": {"Included": True},
        "Name": "7",
        "Output": '[{"id":"ä"}]',
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        "StartDate": "2025-02-04T01:49:50.099Z",
        "StateMachineArn": _MACHINE,
        "Status": "SUCCEEDED",
        "StopDate": "2025-02-04T01:49:50.163Z",
    }
    assert list(entry) == sorted(entry)


def test_the_entry_of_a_child_that_failed(tmp_path: Path) -> None:
    failed = child(7, "FAILED", error="States.Runtime", cause="why", redrives=2)
    Buckets(tmp_path).write_results(request(), [failed], _RUN)
    [entry] = json.loads(files(tmp_path)["FAILED_0.json"])
    assert list(entry) == [
        "Cause", "Error", "ExecutionArn", "Input", "InputDetails", "Name", "OutputDetails", "RedriveCount",
        "RedriveStatus", "StartDate", "StateMachineArn", "Status", "StopDate",
    ]  # fmt: skip
    assert (entry["Cause"], entry["Error"], entry["RedriveCount"]) == ("why", "States.Runtime", 2)
    assert entry["RedriveStatus"] == "REDRIVABLE_BY_MAP_RUN"


def test_the_entry_of_a_child_that_never_started(tmp_path: Path) -> None:
    Buckets(tmp_path).write_results(request(), [child(7, "PENDING", started=None, closed=None)], _RUN)
    [entry] = json.loads(files(tmp_path)["PENDING_0.json"])
    assert entry["Status"] == "PENDING"
    assert not {"Cause", "Error", "Output", "StartDate", "StopDate"} & set(entry)


def test_no_results_are_a_manifest_without_files(tmp_path: Path) -> None:
    Buckets(tmp_path).write_results(request(), [], _RUN)
    written = files(tmp_path)
    assert list(written) == ["manifest.json"]
    assert json.loads(written["manifest.json"])["ResultFiles"] == {"FAILED": [], "PENDING": [], "SUCCEEDED": []}


_OUTPUTS = [child(0, output=[1, [2]]), child(1, "FAILED", output=[8]), child(2, output="a"), child(3, output=[])]


@pytest.mark.parametrize(
    ("transformation", "kind", "text"),
    [
        ("COMPACT", "JSON", '[[1,[2]],"a",[]]'),
        ("COMPACT", "JSONL", '[1,[2]]\n"a"\n[]\n'),
        ("FLATTEN", "JSON", '[1,[2],"a"]'),
        ("FLATTEN", "JSONL", '1\n[2]\n"a"\n'),
    ],
)
def test_transformations_of_outputs(tmp_path: Path, transformation: str, kind: str, text: str) -> None:
    config: Json = {"Transformation": transformation, "OutputType": kind}
    Buckets(tmp_path).write_results(request(config), _OUTPUTS, _RUN)
    written = files(tmp_path)
    assert written["SUCCEEDED_0.json"] == text
    failed = written["FAILED_0.json"].strip().removeprefix("[").removesuffix("]")
    assert json.loads(failed)["Name"] == "1"  # what failed is written unchanged


def test_a_state_without_a_bucket_has_its_result_transformed() -> None:
    failed = json.loads(json.dumps(transform([_OUTPUTS[1]], {"Transformation": "NONE", "OutputType": "JSON"})))
    assert failed[0]["ExecutionArn"] == _OUTPUTS[1].arn
    assert transform(_OUTPUTS, {"Transformation": "FLATTEN", "OutputType": "JSON"}) == [1, [2], *failed, "a"]
    assert transform(_OUTPUTS, {}) == [[1, [2]], *failed, "a", []]
    assert transform([_OUTPUTS[0]], {"Transformation": "FLATTEN", "OutputType": "JSONL"}) == "1\n[2]\n"
    assert transform([], {}) == []


def test_each_transformation_reads_back_as_items(tmp_path: Path) -> None:
    config: Json = {"Transformation": "FLATTEN", "OutputType": "JSONL"}
    Buckets(tmp_path).write_results(request(config), _OUTPUTS, _RUN)
    key = "jobs/ad9b5f27/SUCCEEDED_0.json"
    assert everything(tmp_path, get(key, "JSONL", bucket="results")) == [1, [2], "a"]


@pytest.mark.parametrize("kind", ["JSON", "JSONL"])
def test_a_file_that_would_become_too_large_is_followed_by_another(tmp_path: Path, kind: str) -> None:
    config: Json = {"Transformation": "COMPACT", "OutputType": kind}
    results = [child(n, output="x" * 20) for n in range(10)]
    write_results(Place(tmp_path), request(config), results, _RUN, largest=70)
    written = files(tmp_path)
    manifest = json.loads(written.pop("manifest.json"))
    assert sorted(written) == [f"SUCCEEDED_{n}.json" for n in range(len(written))]
    assert len(written) in (4, 5)
    assert all(len(text) <= 70 for text in written.values())
    assert [(f["Key"], f["Size"]) for f in manifest["ResultFiles"]["SUCCEEDED"]] == [
        (f"jobs/ad9b5f27/SUCCEEDED_{n}.json", len(written[f"SUCCEEDED_{n}.json"])) for n in range(len(written))
    ]
    read = [
        item
        for n in range(len(written))
        for item in everything(tmp_path, get(f"jobs/ad9b5f27/SUCCEEDED_{n}.json", kind, bucket="results"))
    ]
    assert read == ["x" * 20] * 10
    assert LARGEST_FILE == 5 * 10**9


def test_one_result_larger_than_a_file_has_one_of_its_own(tmp_path: Path) -> None:
    config: Json = {"Transformation": "COMPACT", "OutputType": "JSON"}
    results = [child(0, output="x" * 100), child(1, output="y" * 100)]
    write_results(Place(tmp_path), request(config), results, _RUN, largest=50)
    assert sorted(files(tmp_path)) == ["SUCCEEDED_0.json", "SUCCEEDED_1.json", "manifest.json"]


@pytest.mark.parametrize(
    ("prefix", "folder"), [("a/b", "a/b/ad9b5f27"), ("a/", "a/ad9b5f27"), ("", "ad9b5f27"), (None, "ad9b5f27")]
)
def test_where_the_files_lie(tmp_path: Path, prefix: str | None, folder: str) -> None:
    asked = request()
    asked["arguments"] = {"Bucket": "results"} if prefix is None else {"Bucket": "results", "Prefix": prefix}
    result = Buckets(tmp_path).write_results(asked, [], _RUN)
    assert result["ResultWriterDetails"] == {"Bucket": "results", "Key": f"{folder}/manifest.json"}
    assert list(files(tmp_path, f"results/{folder}")) == ["manifest.json"]


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        (request({"Transformation": "BIG"}), 'Transformation must be NONE, COMPACT or FLATTEN, not "BIG"'),
        (request({"OutputType": "CSV"}), 'OutputType must be JSON or JSONL, not "CSV"'),
        (request([]), None),
        (request([1]), "WriterConfig must be an object, not [1]"),
        (request(Bucket=None), "Bucket is missing from what the ResultWriter asks for"),
        (request(Prefix=3), "Prefix must be text, not 3"),
        (
            request(Prefix="../out"),
            "the key '../out/ad9b5f27/manifest.json' holds the part '..', so it cannot stand for a file below "
            "its bucket",
        ),
        ({}, "Bucket is missing from what the ResultWriter asks for"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(tmp_path: Path, asked: dict[str, Json], cause: str | None) -> None:
    if cause is None:
        Buckets(tmp_path).write_results(asked, [], _RUN)
        return
    with pytest.raises(ResultWriterFailed) as failed:
        Buckets(tmp_path).write_results(asked, [], _RUN)
    assert (failed.value.error, failed.value.cause) == ("States.ResultWriterFailed", cause)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_no_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultWriterFailed, match="cannot stand for a file"):
        Buckets(tmp_path).write_results(request(), [], RunFacts("arn", "../../other"))


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    Buckets(tmp_path).write_results(request(), _OUTPUTS, _RUN)
    for path in [tmp_path / "results", *(tmp_path / "results").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_writing_again_gives_the_same_files_and_no_others(tmp_path: Path) -> None:
    buckets = Buckets(tmp_path)
    write_results(Place(tmp_path), request(), _OUTPUTS, _RUN, largest=600)
    first = files(tmp_path)
    write_results(Place(tmp_path), request(), _OUTPUTS, _RUN, largest=600)
    assert files(tmp_path) == first
    (tmp_path / "results/jobs/ad9b5f27/notes.txt").write_text("mine")
    buckets.write_results(request(), [_OUTPUTS[0]], _RUN)  # redriven: nothing failed, and one file is enough
    assert sorted(files(tmp_path)) == ["SUCCEEDED_0.json", "manifest.json", "notes.txt"]


def test_a_failure_in_the_middle_leaves_what_was_there(tmp_path: Path) -> None:
    def breaking() -> Iterator[ChildResult]:
        yield child(0, output="new")
        yield child(1, "FAILED")
        raise LookupError("the store is gone")

    Buckets(tmp_path).write_results(request(), _OUTPUTS, _RUN)
    before = files(tmp_path)
    with pytest.raises(LookupError):
        Buckets(tmp_path).write_results(request(), breaking(), _RUN)
    assert files(tmp_path) == before


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("sm_cli.buckets.drafts.os.fsync", full)
    (tmp_path / "results/jobs/ad9b5f27").mkdir(parents=True)
    with pytest.raises(ResultWriterFailed) as failed:
        Buckets(tmp_path).write_results(request(), _OUTPUTS, _RUN)
    assert failed.value.cause == "writing the results failed: No space left on device"
    assert files(tmp_path) == {}


def test_a_file_in_the_way_is_reported(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "jobs").write_text("")
    with pytest.raises(ResultWriterFailed) as failed:
        Buckets(tmp_path).write_results(request(), _OUTPUTS, _RUN)
    assert failed.value.cause == f"{tmp_path}/results/jobs is a file, so no directory can be there"


def test_everything_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    real_flush, real_publish, real_directory = Draft.flush, Draft.publish, drafts_module.flush_directory

    def flush(self: Draft) -> None:
        done.append(f"flush {self.target.name}")
        real_flush(self)

    def publish(self: Draft) -> None:
        done.append(f"name {self.target.name}")
        real_publish(self)

    def directory(path: Path) -> None:
        done.append(f"flush {path.name}/")
        real_directory(path)

    monkeypatch.setattr(Draft, "flush", flush)
    monkeypatch.setattr(Draft, "publish", publish)
    monkeypatch.setattr("sm_cli.buckets.results.flush_directory", directory)
    Buckets(tmp_path).write_results(request(), _OUTPUTS, _RUN)
    assert done == [
        "flush SUCCEEDED_0.json", "flush FAILED_0.json", "flush manifest.json", "name SUCCEEDED_0.json",
        "name FAILED_0.json", "flush ad9b5f27/", "name manifest.json", "flush ad9b5f27/",
    ]  # fmt: skip


def test_the_next_writer_removes_the_drafts_of_one_that_was_killed(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from sm_cli.buckets import Buckets, ChildResult, RunFacts

        def results():
            yield ChildResult("arn", "n", "machine", "SUCCEEDED", 1, "x" * 200_000)
            os._exit(9)

        Buckets(Path(sys.argv[1])).write_results(
            {"arguments": {"Bucket": "results", "Prefix": "jobs"}, "config": {}}, results(), RunFacts("arn", "ad9b5f27")
        )
    """)
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert ended.returncode == 9
    [left] = files(tmp_path)
    assert left.startswith(".SUCCEEDED_0.json.")
    Buckets(tmp_path).write_results(request(), _OUTPUTS, _RUN)
    assert sorted(files(tmp_path)) == ["FAILED_0.json", "SUCCEEDED_0.json", "manifest.json"]


@pytest.mark.parametrize("named", [0, 1, 2])
def test_a_run_whose_writer_was_killed_between_two_names_is_written_whole_the_next_time(
    tmp_path: Path, named: int
) -> None:
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    script = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from sm_cli.buckets import Buckets
        from sm_cli.buckets.drafts import Draft
        from tests.buckets import test_results as t

        left, real = int(sys.argv[2]), Draft.publish

        def publish(draft):
            global left
            if not left:
                os._exit(9)
            left -= 1
            real(draft)

        Draft.publish = publish
        Buckets(Path(sys.argv[1])).write_results(t.request(), t._OUTPUTS, t._RUN)
    """)
    ended = subprocess.run([sys.executable, "-c", script, str(killed), str(named)], check=False, cwd=_PROJECT)
    assert ended.returncode == 9
    assert "manifest.json" not in files(killed)
    for root in (calm, killed):
        Buckets(root).write_results(request(), _OUTPUTS, _RUN)
    assert files(killed) == files(calm)


def test_the_draft_of_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    draft = Draft(tmp_path / "x.json")
    draft.write(b"[]")
    sweep_drafts(tmp_path)
    draft.flush()
    draft.publish()
    assert (tmp_path / "x.json").read_bytes() == b"[]"


def test_memory_does_not_grow_with_the_results(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        Buckets(tmp_path).write_results(request(), (child(n, output=f"output {n}") for n in range(count)), _RUN)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    few, many = peak(1_000), peak(10_000)
    assert (tmp_path / "results/jobs/ad9b5f27/SUCCEEDED_0.json").stat().st_size > 3_000_000
    assert many < few + 100_000
