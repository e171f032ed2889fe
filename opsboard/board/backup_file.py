"""The form of a backup: gzip of JSON lines. A header, each table with its rows, a trailer.

    {"opsboard": "backup", "format": 1, "version": …, "migrations": […], "counts": {…}, …}
    {"table": "services_team", "columns": ["id", "slug", …]}
    [1, "pricing", …]
    …
    {"end": true, "sha256": "…"}

The digest is of every line above the trailer. Nothing is read into memory but one line at a time.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import IO, Any, NoReturn

FORMAT = 1
# The longest row there is holds a rollback note or a service's declaration.
LONGEST_LINE = 8 << 20
MOST_TABLES = 200
# Real backups unpack to ten or twenty times their size; one that was made to hurt, to a thousand.
MOST_UNPACKED = 200
SMALL = 1 << 20

NOT_OURS = "This is not a backup of Opsboard"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


# Made once: for each row anew they would take half of the time.
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_decode = json.JSONDecoder(parse_constant=_no_constant).decode


class BadBackupError(Exception):
    """The file cannot be restored; the message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    version: str
    made_at: str
    # "services.0001_initial", as the database named them, sorted.
    migrations: list[str]
    # Rows by the name of the table, in the order of the file.
    counts: dict[str, int]


class Writer:
    """Writes a backup into a file that is open for writing. Leave it with `end`."""

    def __init__(self, file: IO[bytes], header: Header) -> None:
        self._packed = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=5, filename="", mtime=0)
        self._digest = hashlib.sha256()
        self._line({"opsboard": "backup", "format": FORMAT} | asdict(header))

    def table(self, name: str, columns: list[str]) -> None:
        self._line({"table": name, "columns": columns})

    def row(self, row: list[Any]) -> None:
        self._line(row)

    def end(self) -> None:
        trailer = {"end": True, "sha256": self._digest.hexdigest()}
        self._packed.write(_line_of(trailer))
        self._packed.close()

    def _line(self, value: object) -> None:
        line = _line_of(value)
        self._digest.update(line)
        self._packed.write(line)


def _line_of(value: object) -> bytes:
    return _encode(value).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Begins:
    """A table begins in the file: the rows that follow are its own."""

    table: str
    columns: list[str]


Event = Header | Begins | list[Any]


def read(file: IO[bytes]) -> Iterator[Event]:
    """The header, then each table and its rows. Raises BadBackupError, at the latest at the end.

    Whoever stores rows on the way must be able to take them back: the digest comes last.
    """
    file.seek(0)
    lines = _Lines(file)
    header = _header(lines.next())
    yield header
    left: dict[str, int] = {}
    unseen = dict(header.counts)
    while not _is_end(value := lines.next()):
        if isinstance(value, dict):
            _refuse_unless_empty(left)
            begins = _begins(value)
            if begins.table not in unseen:
                raise BadBackupError(f"The backup is damaged: it does not announce {begins.table}.")
            left = {begins.table: unseen.pop(begins.table)}
            yield begins
        else:
            yield _row(value, left)
    _refuse_unless_empty(left | unseen)
    lines.refuse_unless_whole(value)


def check(file: IO[bytes]) -> Header:
    """Read all of it once, storing nothing. Raises BadBackupError."""
    events = read(file)
    header = next(events)
    for _ in events:
        pass
    assert isinstance(header, Header)  # noqa: S101 - what read yields first
    return header


def _row(value: Any, left: dict[str, int]) -> list[Any]:
    if not isinstance(value, list) or not left:
        raise BadBackupError("The backup is damaged: a line in it is neither a table nor a row.")
    name = next(iter(left))
    left[name] -= 1
    if left[name] < 0:
        raise BadBackupError(f"The backup is damaged: it has more rows of {name} than it says.")
    return value


def _refuse_unless_empty(left: dict[str, int]) -> None:
    for name, count in left.items():
        if count:
            raise BadBackupError(f"The backup is damaged: {count} rows of {name} are missing.")


def _is_end(value: Any) -> bool:
    return isinstance(value, dict) and value.get("end") is True


def _header(value: Any) -> Header:
    if not isinstance(value, dict) or value.get("opsboard") != "backup":
        raise BadBackupError(f"{NOT_OURS}.")
    if value.get("format") != FORMAT:
        raise BadBackupError(
            f"The backup is of a form that this Opsboard does not read: install "
            f"{_version_in(value)}, which wrote it."
        )
    fields: dict[str, Any] = {name: value.get(name) for name in Header.__dataclass_fields__}
    header = Header(**fields)
    if not _is_sound(header):
        raise BadBackupError("The backup is damaged: its first line cannot be used.")
    return header


def _version_in(value: dict[str, Any]) -> str:
    version = value.get("version")
    return f"Opsboard {version[:20]}" if isinstance(version, str) else "the Opsboard"


def _is_sound(header: Header) -> bool:
    return (
        isinstance(header.version, str)
        and _is_moment(header.made_at)
        and isinstance(header.migrations, list)
        and all(isinstance(name, str) for name in header.migrations)
        and isinstance(header.counts, dict)
        and len(header.counts) <= MOST_TABLES
        and all(type(count) is int and count >= 0 for count in header.counts.values())
    )


def _is_moment(text: object) -> bool:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _begins(value: dict[str, Any]) -> Begins:
    table, columns = value.get("table"), value.get("columns")
    if not isinstance(table, str) or not isinstance(columns, list):
        raise BadBackupError("The backup is damaged: a line in it is neither a table nor a row.")
    return Begins(table, columns)


class _Lines:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._unpacked = gzip.GzipFile(fileobj=file, mode="rb")
        self._digest = hashlib.sha256()
        self._last = b""
        self._read = 0
        # Whether a line of ours has been read.
        self._is_ours = False

    def next(self) -> Any:
        """The next line, as JSON. The digest is of those before it."""
        self._digest.update(self._last)
        self._last = line = self._raw()
        if not line.endswith(b"\n"):
            self._refuse_broken(line)
        self._refuse_bomb(len(line))
        try:
            value = _decode(line.decode())
        except (ValueError, RecursionError):
            self._refuse_unreadable()
        self._is_ours = True
        return value

    def _raw(self) -> bytes:
        try:
            return self._unpacked.readline(LONGEST_LINE)
        except EOFError:
            raise BadBackupError("The backup is cut off: its end is missing.") from None
        except (OSError, zlib.error):
            self._refuse_unreadable()

    def _refuse_broken(self, line: bytes) -> NoReturn:
        if len(line) >= LONGEST_LINE:
            raise BadBackupError(f"{NOT_OURS}: a line in it is longer than any of ours.")
        raise BadBackupError("The backup is cut off: its end is missing.")

    def _refuse_unreadable(self) -> NoReturn:
        if not self._is_ours:
            raise BadBackupError(f"{NOT_OURS}.") from None
        raise BadBackupError("The backup is damaged: a part of it cannot be read.") from None

    def _refuse_bomb(self, length: int) -> None:
        self._read += length
        if self._read > SMALL and self._read > MOST_UNPACKED * max(self._file.tell(), 1):
            raise BadBackupError(f"{NOT_OURS}: it unpacks to far more than any of ours.")

    def refuse_unless_whole(self, trailer: dict[str, Any]) -> None:
        if trailer.get("sha256") != self._digest.hexdigest():
            raise BadBackupError("The backup is damaged: its SHA-256 is not that of its content.")
        if self._raw():
            raise BadBackupError("The backup is damaged: something stands after its end.")
