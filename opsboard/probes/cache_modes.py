"""Asking past a cache: with a header that says so, or with an address that no cache has seen."""

from dataclasses import replace
from secrets import token_hex

from opsboard.outbound.reply import Ask
from opsboard.probes.rendering import render
from opsboard.services.models import CriticalPath, Environment


def render_for(path: CriticalPath, environment: Environment, values: dict[str, str]) -> Ask:
    """The request of a sheet in its cache mode. Raises NotOrderable."""
    ask = render(path, environment, values)
    if path.cache_mode != CriticalPath.CacheMode.COLD_HEADER:
        return ask
    # It asks every cache on the way to ask again, whatever the sheet says.
    others = [pair for pair in ask.headers if pair[0].lower() != "cache-control"]
    return replace(ask, headers=(*others, ("Cache-Control", "no-cache")))


def never_asked(url: str) -> str:
    """The address with a query key that no cache can have seen, another one each time."""
    address, hash_sign, fragment = url.partition("#")
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}opsboard-cold={token_hex(8)}{hash_sign}{fragment}"
