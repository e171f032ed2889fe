"""Opens every page that links lead to, as a person does who follows them all."""

from collections import Counter, deque
from collections.abc import Iterator
from urllib.parse import urldefrag, urljoin, urlsplit

from django.http import HttpResponse
from django.test import Client
from django.urls import Resolver404, resolve

from tests.hostile.reading import Read

# Of one kind of page so many are opened: the same template shows them all.
MOST_OF_A_KIND = 7
BEGINNINGS = [
    *("/", "/audit", "/board-files", "/people", "/tokens", "/removed", "/search?q=QZ", "/mine"),
    *("/api-reference", "/account", "/alerts/suppressed", "/add", "/services/new"),
]


def walk(browse: Client) -> Iterator[tuple[str, HttpResponse]]:
    """Each address with what it answered; links are followed breadth first."""
    waiting, seen, kinds = deque(BEGINNINGS), set(BEGINNINGS), Counter[str]()
    while waiting:
        address = waiting.popleft()
        response = browse.get(address)
        yield address, response
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            continue
        for link in Read(response.text).links:
            there = urldefrag(urljoin(f"http://testserver{address}", link)).url
            parts = urlsplit(there)
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
            kind = _kind(parts.path) if parts.netloc == "testserver" else None
            if kind is None or target in seen or kinds[kind] >= MOST_OF_A_KIND:
                continue
            kinds[kind] += 1
            seen.add(target)
            waiting.append(target)


def _kind(path: str) -> str | None:
    """The name of its view; None: no address of the board."""
    try:
        return resolve(path).url_name
    except Resolver404:
        return None
