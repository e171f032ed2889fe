"""What the far side says in its headers about its caches and its database."""

import pytest

from tests.expectations.replies import answered, facts, held, with_headers

LABELS = [
    # RFC 9211: the last member is the one nearest to the client.
    ("Cache-Status: ExampleCache; hit", "hit"),
    ("Cache-Status: Origin; hit, Edge; fwd=uri-miss", "miss"),
    ("Cache-Status: Origin; fwd=miss, Edge; hit; ttl=376", "hit"),
    ("Cache-Status: Edge; hit; ttl=-412", "stale"),
    ("Cache-Status: Edge; hit=?1", "hit"),
    ("Cache-Status: Edge; hit=?0; fwd=miss", "miss"),
    ("Cache-Status: Edge; fwd=uri-miss", "miss"),
    ("Cache-Status: Edge; fwd=vary-miss; stored", "miss"),
    ("Cache-Status: Edge; fwd=stale; fwd-status=304", "miss"),
    ("Cache-Status: Edge; fwd=partial", "miss"),
    ("Cache-Status: Edge; fwd=request", "miss"),
    ("Cache-Status: Edge; fwd=miss; collapsed", "miss"),
    ("Cache-Status: Edge; fwd=bypass", "bypass"),
    ("Cache-Status: Edge; fwd=method", "bypass"),
    ('Cache-Status: "a, b; hit"; fwd=miss; detail="x, y; hit"', "miss"),
    ("Cache-Status: Edge; FWD=Miss", "miss"),
    ("Cache-Status: Edge", "unknown"),
    ("Cache-Status: Edge; hit, Unsaid", "unknown"),
    ("Cache-Status: ", "unknown"),
    ("CF-Cache-Status: HIT", "hit"),
    ("CF-Cache-Status: STALE", "stale"),
    ("CF-Cache-Status: UPDATING", "stale"),
    ("CF-Cache-Status: REVALIDATED", "hit"),
    ("CF-Cache-Status: MISS", "miss"),
    ("CF-Cache-Status: EXPIRED", "miss"),
    ("CF-Cache-Status: BYPASS", "bypass"),
    ("CF-Cache-Status: DYNAMIC", "bypass"),
    ("CF-Cache-Status: NONE/UNKNOWN", "bypass"),
    ("CF-Cache-Status: WHATEVER", "unknown"),
    ("X-Cache-Status: HIT", "hit"),
    ("X-Cache-Status: EXPIRED", "miss"),
    ("X-Cache-Status: bypass", "bypass"),
    ("X-Cache: HIT, MISS", "miss"),
    ("X-Cache: MISS, HIT", "hit"),
    ("X-Cache: Hit from cloudfront", "hit"),
    ("X-Cache: RefreshHit from cloudfront", "hit"),
    ("X-Cache: Miss from cloudfront", "miss"),
    ("X-Cache: TCP_MEM_HIT from a1-2.deploy.example (Ghost/1)", "hit"),
    ("X-Cache: TCP_MISS from hit.example", "miss"),
    ("X-Cache: Error from cloudfront", "unknown"),
    ("X-Cache: BYPASS", "bypass"),
    ("X-Varnish: 32770 3", "hit"),
    ("X-Varnish: 32770", "miss"),
    ("X-Varnish: 1 2 3", "unknown"),
    ("X-Varnish: hit", "unknown"),
    ("X-Varnish: ²", "unknown"),
    ("X-Vercel-Cache: PRERENDER", "hit"),
    ("X-Vercel-Cache: STALE", "stale"),
    ("X-Vercel-Cache: MISS", "miss"),
    ("X-Vercel-Cache: BYPASS", "bypass"),
    ("Age: 12", "hit"),
    ("Age: 0", "unknown"),
    ("Age: -5", "unknown"),
    ("Age: ²", "unknown"),
    ('Server-Timing: db;dur=3, cache;desc="hit"', "hit"),
    ("Server-Timing: cache;desc=MISS;dur=0.2", "miss"),
    ("Server-Timing: cache;dur=2", "unknown"),
    ("Server-Timing: cdn-cache;desc=HIT", "unknown"),
    ("Server: nginx", "unknown"),
]


@pytest.mark.parametrize(("line", "word"), LABELS, ids=[line for line, _ in LABELS])
def test_each_cache_is_understood(line: str, word: str) -> None:
    reply = with_headers(line)
    assert facts(reply).cache == word
    assert held(f"cache is {word}", reply) is True


@pytest.mark.parametrize(("line", "word"), LABELS, ids=[line for line, _ in LABELS])
def test_the_raw_header_is_kept_when_it_told_something(line: str, word: str) -> None:
    assert facts(with_headers(line)).cache_raw == (line if word != "unknown" else "")


ORDER = [
    "Cache-Status: Edge; hit",
    "CF-Cache-Status: MISS",
    "X-Cache-Status: BYPASS",
    "X-Cache: HIT",
    "X-Varnish: 1",
    "X-Vercel-Cache: STALE",
    "Age: 5",
    "Server-Timing: cache;desc=miss",
]


@pytest.mark.parametrize("place", range(len(ORDER)))
def test_the_first_header_of_the_table_wins(place: int) -> None:
    assert facts(with_headers(*reversed(ORDER[place:]))).cache_raw == ORDER[place]


def test_a_header_that_tells_nothing_leaves_it_to_the_next() -> None:
    assert facts(with_headers("X-Cache: Error from cloudfront", "Age: 3")).cache == "hit"


def test_several_lines_of_a_header_join_in_their_order() -> None:
    reply = with_headers("Cache-Status: Origin; hit", "cache-status: Edge; fwd=miss")
    assert facts(reply).cache == "miss"
    assert facts(reply).cache_raw == "Cache-Status: Origin; hit, Edge; fwd=miss"


def test_the_raw_header_is_cut_to_two_hundred_characters_without_controls() -> None:
    raw = facts(with_headers("X-Cache: HIT\x00 " + "x" * 500)).cache_raw
    assert raw.startswith("X-Cache: HIT\\x00 xxx")
    assert len(raw) == 200


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("cache is unknown", True),
        ("cache is hit", False),
        ("cache is not hit", False),
        ("cache is not bypass", False),
        ("cache is not unknown", False),
    ],
)
def test_without_a_label_only_unknown_holds(text: str, verdict: bool) -> None:
    assert held(text, answered()) is verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("cache is stale", True),
        ("cache is hit", False),
        ("cache is not hit", True),
        ("cache is not unknown", True),
    ],
)
def test_stale_is_a_word_of_its_own(text: str, verdict: bool) -> None:
    assert held(text, with_headers("X-Cache-Status: STALE")) is verdict


@pytest.mark.parametrize(
    ("lines", "calls", "time"),
    [
        (['Server-Timing: db;dur=23.1;desc="12"'], 12, 23_100),
        (["Server-Timing: db;desc=12;dur=0"], 12, 0),
        (['Server-Timing: app;dur=3, DB ; dur = 1.5 ; desc = "7 queries"'], 7, 1_500),
        (['Server-Timing: db;dur=2, dbq;desc="4"'], 4, 2_000),
        (['Server-Timing: dbq;desc="4"'], 4, None),
        (['Server-Timing: db;desc="3"', 'Server-Timing: db;desc="9";dur=1'], 3, None),
        (["Server-Timing: total;dur=9", "server-timing: db;dur=1.0006;desc=2"], 2, 1_001),
        (['Server-Timing: app;desc="x, db;desc=99;dur=99", db;desc=1;dur=2'], 1, 2_000),
        (['Server-Timing: app;desc="a \\" b, c", db;desc=1;dur=2'], 1, 2_000),
        (['Server-Timing: app;desc="never closed, db;desc=1'], None, None),
        (["Server-Timing: db;desc=many;dur=fast"], None, None),
        (["Server-Timing: db;dur=-1;desc=-1"], None, None),
        (["Server-Timing: db;dur=1e9;desc=1e9"], 1, None),
        (["Server-Timing: db;dur=NaN"], None, None),
        (["Server-Timing: db;desc=" + "9" * 10], None, None),
        (["Server-Timing: db;desc=1;desc=2;dur=3;dur=4"], 1, 3_000),
        (["Server-Timing: db"], None, None),
        (["Server-Timing: ,;,=;\"\\"], None, None),
        (["Server-Timing: db;desc=1, " + "x," * 20_000], None, None),
        ([], None, None),
    ],
)  # fmt: skip
def test_database_calls_and_time_are_read_from_server_timing(
    lines: list[str], calls: int | None, time: int | None
) -> None:
    told = facts(with_headers(*lines))
    assert (told.db_calls, told.db_time) == (calls, time)


@pytest.mark.parametrize("junk", ['"\\', '"', "\\", ";", ",", '",', "=;", '"\\"'])
def test_a_hostile_list_is_read_in_one_pass(junk: str) -> None:
    told = facts(with_headers("Server-Timing: " + junk * (16_000 // len(junk))))
    assert (told.db_calls, told.db_time, told.cache) == (None, None, "unknown")


def test_a_header_in_several_lines_is_judged_as_one_list() -> None:
    reply = with_headers("Vary: Cookie", "vary: Accept")
    assert held('header Vary == "Cookie, Accept"', reply) is True
