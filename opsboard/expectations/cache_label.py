"""What the headers of a reply say about caches: one word, and the header line it was read from."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from opsboard.expectations.field_values import members
from opsboard.expectations.shown import on_one_line

LONGEST_RAW = 200

# The words of nginx, Cloudflare and Vercel. UPDATING serves a stale answer while a new one is made.
_WORDS = {
    "hit": "hit",
    "revalidated": "hit",
    "prerender": "hit",
    "stale": "stale",
    "updating": "stale",
    "miss": "miss",
    "expired": "miss",
    "bypass": "bypass",
    "dynamic": "bypass",
    "none": "bypass",
    "none/unknown": "bypass",
}
_FORWARDED = {
    "uri-miss": "miss",
    "vary-miss": "miss",
    "miss": "miss",
    "stale": "miss",
    "partial": "miss",
    "request": "miss",
    "bypass": "bypass",
    "method": "bypass",
}


class CacheLabel(NamedTuple):
    """`word` is hit, miss, stale, bypass or unknown; `raw` is "" when it is unknown."""

    word: str
    raw: str


def label_of(headers: Mapping[str, str]) -> CacheLabel:
    """The first header that tells wins. Names in `headers` are in lower case."""
    for lower, (name, read) in _BY_LOWER.items():
        value = headers.get(lower)
        if value is not None and (word := read(value)):
            return CacheLabel(word, on_one_line(f"{name}: {value}", LONGEST_RAW))
    return CacheLabel("unknown", "")


def _of_cache_status(value: str) -> str:
    nearest_client = members(value)[-1:]
    for member in nearest_client:
        told = member.parameters
        if told.get("hit") in ("", "?1"):
            return "stale" if told.get("ttl", "").startswith("-") else "hit"
        return _FORWARDED.get(told.get("fwd", "").lower(), "")
    return ""


def _of_word(value: str) -> str:
    return _WORDS.get(_last(value).lower(), "")


def _of_x_cache(value: str) -> str:
    # `HIT, MISS`, `Hit from cloudfront`, `TCP_MEM_HIT from hit.example`: hosts do not count.
    words = _last(value).lower().split()
    word = words[0] if words else ""
    if "hit" in word:
        return "hit"
    return "miss" if "miss" in word else _WORDS.get(word, "")


def _of_x_varnish(value: str) -> str:
    ids = _last(value).split()
    if not all(each.isascii() and each.isdigit() for each in ids):
        return ""
    return {1: "miss", 2: "hit"}.get(len(ids), "")


def _of_age(value: str) -> str:
    age = _last(value)
    # Zero and absence prove nothing.
    return "hit" if age.isascii() and age.isdigit() and age.strip("0") else ""


def _of_server_timing(value: str) -> str:
    for member in members(value):
        if member.name == "cache":
            words = member.parameters.get("desc", "").lower().split()
            return _WORDS.get(words[0], "") if words else ""
    return ""


def _last(value: str) -> str:
    """The member nearest to the client."""
    return value.rpartition(",")[2].strip()


_SOURCES: dict[str, Callable[[str], str]] = {
    "Cache-Status": _of_cache_status,
    "CF-Cache-Status": _of_word,
    "X-Cache-Status": _of_word,
    "X-Cache": _of_x_cache,
    "X-Varnish": _of_x_varnish,
    "X-Vercel-Cache": _of_word,
    "Age": _of_age,
    "Server-Timing": _of_server_timing,
}
_BY_LOWER = {name.lower(): (name, read) for name, read in _SOURCES.items()}
