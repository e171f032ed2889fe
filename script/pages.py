"""Which pages a board has: found as a person finds them, by its links.

    from script.pages import crawl, not_reached

    found = crawl(fetch)                 # fetch(address) -> (status, content type, text)
    found.dead                           # what is linked and is not there
    found.two_of_each()                  # {"path": ["/services/fares/price", ...], ...}
    not_reached(found.names())           # {"rota-edit": "/teams/<slug:team>/rota/edit"}

Who is signed in is the business of `fetch`; so is following redirects. Django must be set up:
pages are named by opsboard/urls.py. Nothing is written: only GET links are followed.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

from django.urls import Resolver404, URLPattern, resolve

Fetch = Callable[[str], tuple[int, str, str]]
# Only joins links to addresses; nothing is asked of it.
HERE = "http://board.invalid"
# Of one name: more of the same tells nothing, and a board may have a thousand services.
MOST_OF_A_NAME = 60

# Pages that no page links to, and why that is right.
NOT_LINKED = {
    "healthz": "asked by a load balancer",
    "readyz": "asked by a load balancer",
    "metrics": "scraped with a token",
    "badge": "a picture for pages elsewhere; its text stands on the sheet, to be copied",
    "badge-json": "read by programs that draw badges",
    "beat": "a secret address that a job reports to",
    "feed": "read by feed readers; its address stands on the incidents, to be copied",
    "api": "programs speak to it; people read its reference",
    "sign-in-link": "valid once, sent by mail or handed over",
    "first-administrator": "valid once, printed by the first start",
    "acknowledge-link": "valid for one alert, sent in its message",
}


@dataclass(frozen=True)
class Page:
    """One address that answered, of the URL pattern `name`."""

    name: str
    address: str
    content_type: str
    # Its classes and elements: pages of one name that differ here show different things.
    parts: frozenset[str]

    @property
    def is_html(self) -> bool:
        return self.content_type.startswith("text/html")


@dataclass
class Found:
    pages: list[Page] = field(default_factory=list)
    # One sentence each: which link of which page came to nothing.
    dead: list[str] = field(default_factory=list)

    def names(self) -> set[str]:
        return {page.name for page in self.pages}

    def of_each(self, most: int) -> dict[str, list[str]]:
        """For each name the first address, then those that show the most not shown so far."""
        return {name: _unlike(self._html_of(name), most) for name in self._html_names()}

    def two_of_each(self) -> dict[str, list[str]]:
        return self.of_each(2)

    def _html_names(self) -> Iterable[str]:
        return dict.fromkeys(page.name for page in self.pages if page.is_html)

    def _html_of(self, name: str) -> list[Page]:
        return [page for page in self.pages if page.name == name and page.is_html]


def crawl(
    fetch: Fetch, starts: Iterable[str] = ("/",), *, most_of_a_name: int = MOST_OF_A_NAME
) -> Found:
    """Every page that links lead to from `starts`, nearest first. The starts are all asked."""
    found = Found()
    waiting = deque((start, "") for start in starts)
    seen, taken = set[object](), Counter[str]()
    while waiting:
        address, linked_on = waiting.popleft()
        name = name_of(address)
        looks = _looks(name, address)
        if looks <= seen or (linked_on and taken[name] >= most_of_a_name):
            continue
        seen |= looks
        taken[name] += 1
        status, content_type, text = fetch(address)
        if status >= 400:
            whence = f"; it is linked on {linked_on}" if linked_on else ""
            found.dead.append(f"{address} answers {status}{whence}")
            continue
        read = _read(text if content_type.startswith("text/html") else "")
        found.pages.append(Page(name, address, content_type, frozenset(read.parts)))
        waiting.extend((link, address) for link in _here(address, read.links))
    return found


def name_of(address: str) -> str:
    """The name of its URL pattern; "" for a file, or for what urls.py does not know."""
    try:
        return resolve(urlsplit(address).path).view_name
    except Resolver404:
        return ""


def not_reached(names: Iterable[str]) -> dict[str, str]:
    """The named pages that answer to GET and are not among `names`: name and route."""
    reached = {*names, *NOT_LINKED}
    return {name: route for name, route in _pages_of_urls() if name not in reached}


def _pages_of_urls() -> Iterator[tuple[str, str]]:
    from opsboard.urls import urlpatterns

    for pattern in urlpatterns:
        if isinstance(pattern, URLPattern) and pattern.name and _takes_get(pattern.callback):
            yield pattern.name, f"/{pattern.pattern}"


def _takes_get(view: Callable[..., object] | None) -> bool:
    """Read from what Django's require_http_methods keeps; a view without it takes all."""
    while view is not None:
        kept = zip(view.__code__.co_freevars, view.__closure__ or (), strict=True)
        for name, cell in kept:
            if name == "request_method_list":
                return "GET" in cell.cell_contents
        view = getattr(view, "__wrapped__", None)
    return True


def _looks(name: str, address: str) -> set[object]:
    """What is seen there: the place, and with a query how a page of this name looks so asked."""
    parts = urlsplit(address)
    asked = frozenset(key for key, _ in parse_qsl(parts.query, keep_blank_values=True))
    return {parts.path, (name, asked)} if asked else {parts.path}


def _here(address: str, links: Iterable[str]) -> Iterator[str]:
    for link in links:
        full = urldefrag(urljoin(HERE + address, link)).url
        if full.startswith(f"{HERE}/"):
            yield full.removeprefix(HERE)


def _unlike(pages: list[Page], most: int) -> list[str]:
    first, *rest = pages
    chosen, shown = [first.address], set(first.parts)
    while rest and len(chosen) < most:
        best = max(rest, key=lambda page: len(page.parts - shown))
        if not best.parts - shown:
            break
        rest.remove(best)
        chosen.append(best.address)
        shown |= best.parts
    return chosen


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.parts: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.parts |= {tag, *(said.get("class") or "").split()}
        if tag == "a" and (link := said.get("href")):
            self.links.append(link)


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader
