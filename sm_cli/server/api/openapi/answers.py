"""Which request is answered with what: by the name of its function and the status.

A request that is missing here, or an answer that is otherwise, fails a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from sm_cli.server.api.openapi import executions, messages, operating, workflows
from sm_cli.server.api.openapi.parts import ExecutionAnswer, PageAnswer, WholeAnswer

#: A model, or None for an answer without a document of ours: a drawing, a stream, a schema, nothing.
Model: TypeAlias = Any

_BATCH = {200: operating.BatchAnswer}
_SCHEDULE = {200: operating.WholeScheduleAnswer}
_ALIAS = {200: workflows.AliasAnswer}
_TEXT = {200: workflows.VersionTextAnswer, 304: None}
_EXECUTION = {200: ExecutionAnswer}

ANSWERS: Mapping[str, Mapping[int, Model]] = {
    "get_workflows": {200: PageAnswer[workflows.WorkflowAnswer]},
    "post_workflow": {201: workflows.RegistrationAnswer, 200: workflows.RegistrationAnswer},
    "get_workflow": _TEXT,
    "get_versions": {200: PageAnswer[workflows.VersionAnswer]},
    "get_version": _TEXT,
    "delete_workflow": {200: workflows.DeletedVersionsAnswer},
    "delete_version": {200: workflows.DeletedVersionsAnswer},
    "get_diff": {200: workflows.DiffAnswer},
    "get_graph": {200: None},
    "get_aliases": {200: PageAnswer[workflows.AliasAnswer]},
    "put_alias": _ALIAS,
    "delete_alias": _ALIAS,
    "post_rollback": {200: workflows.RollbackAnswer},
    "post_validation": {200: workflows.ValidationAnswer},
    "get_schema": {200: None},
    "post_execution": {
        201: ExecutionAnswer,
        200: ExecutionAnswer | executions.ResultAnswer,
        202: executions.ResultAnswer,
    },
    "get_executions": {200: PageAnswer[ExecutionAnswer]},
    "get_execution_count": {200: executions.CountAnswer},
    "get_execution": {200: executions.WholeExecutionAnswer},
    "get_execution_end": {200: executions.ResultAnswer, 202: executions.ResultAnswer},
    "get_output": {200: Any},
    "get_reasons": {200: executions.ReasonsAnswer},
    "post_stops": {200: executions.StopsAnswer},
    "post_redrives": {200: executions.RedrivesAnswer},
    "post_stop": _EXECUTION,
    "post_redrive": {200: executions.RedriveAnswer},
    "delete_one": {200: executions.DeletedExecutionAnswer},
    "get_states": {200: executions.HistoryAnswer},
    "get_events": {200: executions.EventsAnswer},
    "get_event_stream": {200: None},
    "post_new_message": {200: messages.ReceiptAnswer},
    "get_messages": {200: PageAnswer[messages.MessageAnswer]},
    "get_message": {200: messages.WholeMessageAnswer},
    "delete_kept_message": {200: messages.DeletedMessagesAnswer},
    "get_waits": {200: PageAnswer[messages.OpenWaitAnswer]},
    "get_tasks": {200: PageAnswer[messages.TaskAnswer]},
    "post_success": _EXECUTION,
    "post_failure": _EXECUTION,
    "post_heartbeat": _EXECUTION,
    "post_batch": {201: operating.StartedBatchAnswer},
    "get_batches": {200: PageAnswer[operating.BatchAnswer]},
    "get_batch": _BATCH,
    "patch_batch": _BATCH,
    "post_pause": _BATCH,
    "post_resumption": _BATCH,
    "post_cancellation": _BATCH,
    "post_retry": _BATCH,
    "get_results": {200: PageAnswer[operating.ItemResultAnswer]},
    "get_map_runs": {200: PageAnswer[operating.MapRunAnswer]},
    "get_map_run": {200: operating.MapRunAnswer},
    "get_schedules": {200: PageAnswer[operating.ScheduleAnswer]},
    "post_schedule": {201: operating.WholeScheduleAnswer, 200: operating.WholeScheduleAnswer},
    "get_schedule": _SCHEDULE,
    "get_schedule_reasons": {200: operating.ScheduleReasonsAnswer},
    "delete_schedule": {200: operating.DeletedNamesAnswer},
    "post_schedule_pause": _SCHEDULE,
    "post_schedule_resumption": _SCHEDULE,
    "post_schedule_run": {200: operating.FiringAnswer},
    "get_statistics": {200: operating.StatisticsAnswer},
    "get_queues": {200: WholeAnswer[operating.QueueAnswer]},
    "get_workers": {200: WholeAnswer[operating.WorkerAnswer]},
    "get_links": {200: PageAnswer[executions.LinkAnswer]},
    "get_findings": {200: operating.FindingsAnswer},
    "get_database": {200: operating.DatabaseAnswer},
}
