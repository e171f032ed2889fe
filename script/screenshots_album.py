"""Which pictures there are to be: every page that links lead to, the telling ones by name."""

from collections import Counter
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from playwright.sync_api import APIRequestContext

from script.pages import crawl, name_of
from script.screenshots_camera import Picture

# Of one kind of page: the rest look alike, and each costs the board a request.
MOST_OF_A_KIND = 4
SIGNED_OUT = (
    Picture("sign-in", "/sign-in"),
    Picture("sign-in-wrong", "/sign-in", 422, sent="Sign in"),
    Picture("forgotten", "/sign-in/forgotten"),
    Picture("sign-in-link-used", "/sign-in/used-up", 410),
    Picture("first-administrator-used", "/first/used-up", 410),
)
AS_VIEWER = (
    Picture("board-as-viewer", "/"),
    Picture("refused", "/people", 403),
)
NOT_THERE = Picture("not-found", "/services/no-such-service", 404)
# Sent empty: each says what is missing, above its button and at its field.
WITH_MISTAKES = (
    Picture("path-new-with-mistakes", "/services/fares-api/paths/new", 422, sent="Save"),
    Picture("channel-new-with-mistakes", "/alerts/channels/new", 422, sent="Save"),
    Picture("change-new-with-mistakes", "/changes/new", 422, sent="Declare change"),
)
PRINTED = ("note-print", "release-record", "incident-record", "change-record")


def pages_of(
    request: APIRequestContext, url: str, telling: Mapping[str, str], say: Callable[[str], None]
) -> list[Picture]:
    """One of each kind, and all of `telling`, which stand for their kind where the name is its."""
    found = crawl(_fetch(request, url)).of_each(1)
    addresses = {name: address for name, (address, *_) in found.items() if name} | dict(telling)
    say(f"{len(found)} kinds of pages were found by their links")
    return [Picture(name, address) for name, address in sorted(addresses.items())]


def _fetch(request: APIRequestContext, url: str) -> Callable[[str], tuple[int, str, str]]:
    asked = Counter[str]()

    def fetch(address: str) -> tuple[int, str, str]:
        kind = name_of(urlsplit(address).path)
        asked[kind] += 1
        if asked[kind] > MOST_OF_A_KIND:
            return 200, "", ""
        reply = request.get(url + address)
        content_type = reply.headers.get("content-type", "")
        is_page = content_type.startswith("text/html")
        return reply.status, content_type, reply.text() if is_page else ""

    return fetch
