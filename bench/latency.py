"""A relay that makes a line longer: what comes in goes on after so many seconds, in each direction, in its order."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection


@contextmanager
def longer_line(socket: str, delay: float) -> Iterator[int]:
    """The port of a relay, in a process of its own, to this Unix socket. delay: seconds in each direction."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_relay, args=(socket, delay, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def _relay(socket: str, delay: float, answer: Connection) -> None:
    asyncio.run(_serve(socket, delay, answer))


async def _serve(socket: str, delay: float, answer: Connection) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        their_reader, their_writer = await asyncio.open_unix_connection(socket)
        await asyncio.gather(_carry(reader, their_writer, delay), _carry(their_reader, writer, delay))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    answer.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError):
        while piece := await reader.read(1 << 16):
            loop.call_later(delay, writer.write, piece)
    loop.call_later(delay, writer.close)
