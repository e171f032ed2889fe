"""How a service tells what is "not reported" here: the one header line that it has to answer."""

from dataclasses import dataclass

from opsboard.services.models import CriticalPath
from opsboard.web.measurements import Measured

DATABASE = 'db;dur=23.1;desc="12"'
CACHE = "cache;desc=hit"


@dataclass(frozen=True, slots=True)
class Untold:
    """What right answers did not tell."""

    # "Cache and database calls are not reported."
    words: str
    # The header line that would tell them.
    line: str


def untold_by(path: CriticalPath, measured: Measured) -> Untold | None:
    """None: all is told, nobody was asked, or the path is of a kind that cannot tell."""
    if path.kind != CriticalPath.Kind.HTTP or not measured.probes:
        return None
    return untold(cache=not measured.cache_known, database=not measured.db_calls_reported)


def untold(*, cache: bool, database: bool) -> Untold | None:
    """Of what is missing."""
    if not cache and not database:
        return None
    what = {(True, False): "The cache is", (False, True): "Database calls are"}
    said = what.get((cache, database), "Cache and database calls are")
    values = [*([DATABASE] if database else []), *([CACHE] if cache else [])]
    return Untold(f"{said} not reported.", f"Server-Timing: {', '.join(values)}")
