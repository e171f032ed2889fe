"""blackbox_exporter on the same target, asked as Prometheus asks it; the asking is not counted."""

import asyncio
import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from script.bench_processes import NotMeasuredError, cpu_seconds, end
from script.bench_target import free_port, host, tls_host, wait_for

if TYPE_CHECKING:
    from script.bench_rows import Figure, Told

NAMES = ("prometheus-blackbox-exporter", "blackbox_exporter")
AT_ONCE = 20
# What it can hold of the five clauses: status, a pattern in the body for the JSON path, and the
# two headers. It holds no limit on time, and counts no database calls.
MODULE = r"""
modules:
  bench:
    prober: http
    timeout: 5s
    http:
      preferred_ip_protocol: ip4
      valid_status_codes: [200]
      fail_if_body_not_matches_regexp: ['"ok":\s*true']
      fail_if_header_not_matches:
        - {header: Cache-Status, regexp: hit}
        - {header: Server-Timing, regexp: db}
"""


def installed() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def version(program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return (said.stdout + said.stderr).split("version ", 1)[1].split(",")[0].split(" ")[0]


def blackbox(told: "Told") -> "Iterator[Figure]":
    program = installed()
    if program is None:
        raise NotMeasuredError("blackbox_exporter is not installed.")
    with exporter(program, told.target.ca) as (process, port):
        for row, scheme, of, at, count in (
            ("blackbox-http", "http", host, told.target.http, told.seconds(8000, 3000)),
            ("blackbox-https", "https", tls_host, told.target.https, told.seconds(4000, 1500)),
        ):
            addresses = (f"{scheme}://{of(n)}:{at}/quotes/{n}" for n in itertools.count())
            asyncio.run(ask(port, addresses, 200))
            before, began = cpu_seconds(process.pid), time.monotonic()
            asyncio.run(ask(port, addresses, int(count)))
            took = time.monotonic() - began
            cpu = cpu_seconds(process.pid) - before
            yield (
                row,
                1000 * cpu / count,
                {
                    "probes": int(count),
                    "probes_a_second": round(count / took),
                },
            )


@contextlib.contextmanager
def exporter(program: str, ca: str) -> "Iterator[tuple[subprocess.Popen[bytes], int]]":
    with tempfile.TemporaryDirectory(prefix="opsboard-bench-") as folder:
        file = Path(folder) / "blackbox.yml"
        file.write_text(MODULE)
        port = free_port()
        process = subprocess.Popen(
            [
                program,
                f"--config.file={file}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=error",
            ],
            # Its authorities are read once so, as a system's are.
            env=os.environ | {"SSL_CERT_FILE": ca},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
        )
        try:
            wait_for(port)
            yield process, port
        finally:
            end(process)


async def ask(port: int, addresses: Iterator[str], count: int) -> None:
    """So many probes, some at once over connections that stay open. All must have succeeded."""
    left = itertools.islice(addresses, count)
    succeeded = sum(await asyncio.gather(*(ask_some(port, left) for _ in range(AT_ONCE))))
    if succeeded < count:
        raise NotMeasuredError(
            f"blackbox_exporter failed {count - succeeded} of {count} probes, so that its price"
            " is none to compare with."
        )


async def ask_some(port: int, addresses: Iterator[str]) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    succeeded = 0
    for address in addresses:
        writer.write(
            f"GET /probe?module=bench&target={quote(address, safe='')} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{port}\r\n\r\n".encode()
        )
        succeeded += b"\nprobe_success 1\n" in await read_answer(reader)
    writer.close()
    return succeeded


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    if length:
        return await reader.readexactly(int(length))
    whole = b""
    while size := int(await reader.readline(), 16):
        whole += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return whole
