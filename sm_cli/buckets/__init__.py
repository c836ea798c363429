"""Buckets: a directory that stands for S3 where a distributed Map reads its items and writes its results.

This room knows files and formats, and nothing of executions; it imports only errors and jsonvalue.
"""

from sm_cli.buckets.batch_items import SHORT, BatchItems, Opened
from sm_cli.buckets.buckets import Buckets, Survey
from sm_cli.buckets.entries import ChildResult, RunFacts, transform
from sm_cli.buckets.failures import ItemReaderFailed, ResultWriterFailed
from sm_cli.buckets.json_items import Member, Unreadable
from sm_cli.buckets.limits import LARGEST_ITEM
from sm_cli.buckets.streams import stream_items

__all__ = [
    "LARGEST_ITEM",
    "SHORT",
    "BatchItems",
    "Buckets",
    "ChildResult",
    "ItemReaderFailed",
    "Member",
    "Opened",
    "ResultWriterFailed",
    "RunFacts",
    "Survey",
    "Unreadable",
    "stream_items",
    "transform",
]
