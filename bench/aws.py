"""AWS's protocol: what StartExecution and DescribeExecution cost boto3, over a durable database, workers apart."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from bench.report import Figure

#: Calls of each kind, after some that nobody counts.
CALLS, FIRST = 400, 40
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


def milliseconds(call: Callable[[], object]) -> list[float]:
    """Of each call, sorted."""
    times: list[float] = []
    for number in range(FIRST + CALLS):
        begin = time.perf_counter()
        call()
        if number >= FIRST:
            times.append((time.perf_counter() - begin) * 1000)
    return sorted(times)


def run(folder: Path) -> Iterator[Figure]:
    command = [sys.executable, "-m", "sm_cli", "serve", "--port", "0", "--workers", "0", "--create", "--no-ui"]
    server = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        address = next(found[0] for line in server.stderr if (found := _ADDRESS.search(line)))
        client: Any = boto3.client(
            "stepfunctions", endpoint_url=address, region_name="us-east-1", aws_access_key_id="x",
            aws_secret_access_key="x", config=Config(inject_host_prefix=False),
        )  # fmt: skip
        made = client.create_state_machine(name="order", definition=json.dumps(PASS), roleArn="arn:aws:iam::0:role/r")
        arn = made["stateMachineArn"]
        starts = milliseconds(lambda: client.start_execution(stateMachineArn=arn, input='{"a": 1}'))
        one = client.start_execution(stateMachineArn=arn)["executionArn"]
        describes = milliseconds(lambda: client.describe_execution(executionArn=one))
    finally:
        server.terminate()
        server.wait()
    yield Figure("StartExecution by boto3, p50", statistics.median(starts), "ms", target="<= 15")
    yield Figure("StartExecution by boto3, p99", starts[int(0.99 * len(starts))], "ms")
    yield Figure("DescribeExecution by boto3, p50", statistics.median(describes), "ms")
