"""The receiver of alerts: a webhook that writes down each message it takes, and keeps it.

    python -m tests.faults.sink PORT JOURNAL

A line is "webhook-id path time", on the disk before the answer goes out. GET /control?do=500 tells
it what to do with the next ones: ok, hang (never answered, not written), take (written, and never
answered), or the status to refuse them with, not written. With &at=/hook only those to that path.
What it was asked at all is in JOURNAL.asked, in the same words.
"""

import asyncio
import contextlib
import os
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
LATER = ("429", "503")
RETRY_AFTER = 2


class Sink:
    def __init__(self, journal: int, asked: int) -> None:
        self._journal, self._asked = journal, asked
        self._does: dict[str, str] = {}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            url = head.split(" ", 2)[1]
            if url.startswith("/control?"):
                order = parse_qs(urlsplit(url).query)
                self._does[order.get("at", ["/"])[0]] = order["do"][0]
                writer.write(OK)
            else:
                await self._take(url, _headers(head), reader, writer)
            await writer.drain()
        writer.close()

    async def _take(
        self,
        path: str,
        headers: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        await reader.readexactly(int(headers["content-length"]))
        does = self._does.get(path, "ok")
        line = f"{headers['webhook-id']} {path} {time.time():.6f}\n".encode()
        os.write(self._asked, line)
        if does in ("ok", "take"):
            os.write(self._journal, line)
            os.fsync(self._journal)
        if does in ("hang", "take"):
            await reader.read()
            return
        writer.write(OK if does == "ok" else _refusal(does))


def _refusal(status: str) -> bytes:
    later = f"Retry-After: {RETRY_AFTER}\r\n" if status in LATER else ""
    head = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n{later}\r\n"
    return head.encode()


def _headers(head: str) -> dict[str, str]:
    lines = (line.partition(":") for line in head.split("\r\n")[1:] if line)
    return {name.lower(): value.strip() for name, _, value in lines}


async def serve(port: int, journal: Path) -> None:
    asked = journal.with_name(f"{journal.name}.asked")
    files = [
        os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for file in (journal, asked)
    ]
    server = await asyncio.start_server(Sink(*files).answer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
