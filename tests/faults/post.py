"""The mail server of a run: it writes each letter it takes into the journal of the sink.

    python -m tests.faults.post PORT JOURNAL [drips]

A line is "key mail time", with the key of the letter's Message-ID. One that drips takes nothing: it
gives one byte every second, for ever.
"""

import asyncio
import contextlib
import email
import os
import sys
import time
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP


class Hand:
    def __init__(self, journal: int) -> None:
        self._journal = journal

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802
        letter = email.message_from_bytes(envelope.content)
        key = letter["Message-ID"].strip("<>").partition("@")[0]
        os.write(self._journal, f"{key} mail {time.time():.6f}\n".encode())
        os.fsync(self._journal)
        return "250 taken"


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while True:
            writer.write(b"2")
            await writer.drain()
            await asyncio.sleep(1)


async def serve(port: int, journal: Path, *, drips: bool) -> None:
    file = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if drips:
        server = await asyncio.start_server(drip, "127.0.0.1", port)
    else:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(Hand(file)), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2]), drips="drips" in sys.argv))
