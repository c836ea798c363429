"""ARNs: made for the region and the account of a request, and read from any."""

from __future__ import annotations

from typing import NamedTuple

from sm_cli.engine.versions.references import WorkflowReference
from sm_cli.interpreter.env import Facts
from sm_cli.server.aws.refusals import invalid_arn, not_valid
from sm_cli.views.aws.executions import Execution, MapRun

_KINDS = ("stateMachine", "execution", "express", "activity", "mapRun")


class Arns(NamedTuple):
    """Where the ARNs of an answer lie."""

    #: Such as eu-west-1.
    region: str
    #: Twelve digits.
    account: str

    def facts(self, execution: Execution) -> Facts:
        """The facts of an execution, with its ARNs as this request has them."""
        return Facts(
            execution.ref, execution.name, execution.workflow, execution.type, None, execution.started, self.region,
            self.account, version=execution.version, qualifier=execution.qualifier,
        )  # fmt: skip

    def execution(self, execution: Execution) -> str:
        """An execution's ARN."""
        return self.facts(execution).execution_arn

    def machine(self, name: str, qualifier: str | int | None = None) -> str:
        """The ARN of a state machine, or of a version or an alias of it."""
        arn = self._arn("stateMachine", name)
        return arn if qualifier is None else f"{arn}:{qualifier}"

    def activity(self, name: str) -> str:
        """An activity's ARN."""
        return self._arn("activity", name)

    def map_run(self, run: MapRun) -> str:
        """The ARN of a map run."""
        return self._arn("mapRun", f"{run.workflow}:{run.ref}")

    @property
    def role(self) -> str:
        """The ARN of the role of a workflow that nobody has given one."""
        return f"arn:aws:iam::{self.account}:role/sm-local"

    def _arn(self, kind: str, rest: str) -> str:
        return f"arn:aws:states:{self.region}:{self.account}:{kind}:{rest}"


def parts_of(arn: str, *kinds: str) -> tuple[str, str]:
    """(the kind of resource, what stands behind it).

    Raises CallRefused for a text that is no ARN, and for one of another kind than those asked for."""
    prefix, partition, service, _, _, kind, rest = ([*arn.split(":", 6), *[""] * 7])[:7]
    if prefix != "arn" or not partition.startswith("aws"):
        raise invalid_arn(f"Invalid ARN prefix: {arn}")
    if service != "states" or kind not in _KINDS or not rest:
        raise invalid_arn(f"ARN is not valid: {arn}")
    if kind not in kinds:
        raise invalid_arn(f"Resource type not valid in this context: {kind}")
    return kind, rest


def reference_of(arn: str, *, labels: bool = False) -> WorkflowReference:
    """The workflow of a state machine's ARN, with the version or alias that it names. labels: whether the ARN of a
    distributed Map's processor will do. Raises CallRefused."""
    name, colon, qualifier = parts_of(arn, "stateMachine")[1].partition(":")
    if colon and (not qualifier or ":" in qualifier):
        raise invalid_arn(f"ARN is not valid: {arn}")
    if "/" in name and not labels:
        not_valid(f"Labeled state machine ARNs are not supported: '{arn}'", "API_DOES_NOT_SUPPORT_LABELED_ARNS")
    return WorkflowReference(name, qualifier if colon else None)


def activity_name(arn: str) -> str:
    """The name of an activity's ARN. Raises CallRefused."""
    name = parts_of(arn, "activity")[1]
    if ":" in name:
        raise invalid_arn(f"ARN is not valid: {arn}")
    return name


def execution_arn_parts(arn: str) -> tuple[str, str, str]:
    """(execution or express, workflow, name or, of an express one, public id). Raises CallRefused."""
    kind, rest = parts_of(arn, "execution", "express")
    parts = rest.split(":")
    if len(parts) != (2 if kind == "execution" else 3) or not all(parts):
        raise invalid_arn(f"ARN is not valid: {arn}")
    return kind, parts[0], parts[-1]


def map_run_ref(arn: str) -> tuple[str, str]:
    """(the workflow of its children, its public id). Raises CallRefused."""
    workflow, colon, ref = parts_of(arn, "mapRun")[1].partition(":")
    if not colon or "/" not in workflow or not ref or ":" in ref:
        raise invalid_arn(f"ARN is not valid: {arn}")
    return workflow, ref
