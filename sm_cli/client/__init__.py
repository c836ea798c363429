"""A client for programs: start executions, wait for them, send messages, from a web server or a script.

    from sm_cli import Client

    with Client("/srv/shop") as sm:
        order = sm.start("order", {"orderId": "ORD-1"})
        print(sm.wait(order.id, timeout=30).output)

It executes no handler and steps nothing that it was not asked for: workers do the work. It imports no user code.
"""

from sm_cli.client.client import Client
from sm_cli.client.remote import RemoteClient
from sm_cli.client.results import ExecutionDescription, ExecutionLink, ExecutionSummary, MessageReceipt, WaitingTask

__all__ = [
    "Client",
    "ExecutionDescription",
    "ExecutionLink",
    "ExecutionSummary",
    "MessageReceipt",
    "RemoteClient",
    "WaitingTask",
]
