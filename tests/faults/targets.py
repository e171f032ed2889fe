"""The far side: one raw HTTP server whose paths /t/0, /t/1, ... each do as they were told.

    python -m tests.faults.targets PORT JOURNAL [ADDRESS]

Every request to a path is a line in the journal, "time path trace", before it is answered: what was
really asked, whatever Opsboard believes. GET /control?paths=0-29&do=hang tells paths what to do:
ok, 500, hang, fifth (every fifth request fails), flip (every second one fails), or slow (300 ms).
"""

import asyncio
import contextlib
import os
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SLOW_SECONDS = 0.3
FAILS = {"500": 1, "flip": 2, "fifth": 5}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
BAD = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"


class Targets:
    def __init__(self, journal: int) -> None:
        self._journal = journal
        self._told: dict[str, str] = {}
        self._asked: Counter[str] = Counter()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client may leave at any moment: that is its right, and no news.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            url = head.split(" ", 2)[1]
            if url.startswith("/control?"):
                self._obey(parse_qs(urlsplit(url).query))
                writer.write(OK)
            else:
                await self._act(url, _trace(head), reader, writer)
            await writer.drain()
        writer.close()

    def _obey(self, order: dict[str, list[str]]) -> None:
        first, _, last = order["paths"][0].partition("-")
        for number in range(int(first), int(last or first) + 1):
            self._told[f"/t/{number}"] = order["do"][0]

    async def _act(
        self, url: str, trace: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        os.write(self._journal, f"{time.time():.6f} {url} {trace}\n".encode())
        self._asked[url] += 1
        does = self._told.get(url, "ok")
        if does == "hang":
            await reader.read()
            return
        if does == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        every = FAILS.get(does)
        writer.write(BAD if every and self._asked[url] % every == 0 else OK)


def _trace(head: str) -> str:
    """The trace of a probe's turn, which it derives from probe and slot; "-" without one."""
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "traceparent":
            return value.strip().split("-")[1]
    return "-"


async def serve(port: int, journal: Path, address: str = "127.0.0.1") -> None:
    file = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    server = await asyncio.start_server(Targets(file).answer, address, port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]))
