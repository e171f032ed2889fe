"""Everything the clause language can say, and how it is kept."""

from decimal import Decimal

import pytest

from opsboard.expectations.clauses import Clause, Operator, Range
from opsboard.expectations.grammar import parse

EXAMPLES = r"""
status == 201
status in 200..299, 304
time < 800 ms
time.dns < 20 ms
time.connect < 30 ms
time.tls < 60 ms
time.first_byte < 500 ms
time.transfer < 100 ms
body contains "ok"
body matches /^pong\s*$/
body not contains "Traceback"
json $.ok == true
json $.status == "ok"
json $.note != null
json $.items[*].id count >= 1
json $.total between 118 and 240
json $.user.email exists
json $.error absent
json $.version matches /^2026\./
json $.items[0].price is number
json $.a is string
json $.a is integer
json $.a is boolean
json $.a is array
json $.a is object
json $.a is null
header Content-Type contains "json"
header X-Request-Id exists
db.calls <= 12
db.time < 50 ms
cache is hit
cache is not bypass
cache is miss
cache is stale
cache is unknown
certificate.days > 14
certificate.issuer contains "Internal CA"
size < 200 kB
http == 2
redirects == 0
warn time < 400 ms
warn db.calls <= 8
warn certificate.days > 21
errors < 1 % over 15 m
p95 time < 400 ms over 30 m
p95 db.calls <= 12 over 1 h
cache.hits >= 80 % over 1 h
warn p50 time < 200 ms over 1 h
errors < 10 % over 30 m
errors < 5 % over 60 s
json $.queue < 100
json $.queue >= 100
""".strip().splitlines()

MORE = r"""
json $['a b'].c[?(@.d == "x y" && @.e > 1)] exists
json $.status in "ok", "degraded", 1..3, null, true
json $.built_at >= "2026-11-01"
json $.built_at between "2026-01-01" and "2026-12-31"
json $..price is number
body == "pong"
header Content-Type != "text/html"
header X-Plan matches /gold\/\d+/
time between 1 ms and 2.5 s
size between 1 B and 1.5 MB
http in 1.1, 2
db.calls in 0..3, 7
certificate.issuer == "CN=\"Quoted\" \\ CA"
body contains "a\nb\u0085c"
json $.delta < -1.50
json $.mean between -0.5 and 1e3
errors <= 0 % over 7 d
cache.hits > 99.5 % over 90 m
""".strip().splitlines()


def only(text: str) -> Clause:
    (clause,) = parse(text)
    return clause


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_of_the_language_is_its_own_canonical_form(text: str) -> None:
    assert only(text).text == text


@pytest.mark.parametrize("text", EXAMPLES + MORE)
def test_the_canonical_form_parses_to_an_equal_clause(text: str) -> None:
    clause = only(text)
    assert only(clause.text) == clause


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("  status==200", "status == 200"),
        ("status in 200..299,304", "status in 200..299, 304"),
        ("time<800ms", "time < 800 ms"),
        ("time <\u00a0800\u202fms", "time < 800 ms"),
        ("errors<1%over 15m", "errors < 1 % over 15 m"),
        ("warn   p95\ttime <= 1.5s over 1h", "warn p95 time <= 1.5 s over 1 h"),
        ("json $.n == +5e1", "json $.n == 50"),
        ('body contains "caf\\u00e9"', 'body contains "café"'),
        ("status == 200\r", "status == 200"),
    ],
)
def test_spaces_and_spellings_are_made_the_same(written: str, canonical: str) -> None:
    assert only(written).text == canonical


def test_blank_lines_and_comments_are_no_clauses() -> None:
    text = "\n# The price of a crossing\nstatus == 200\n\n   # slow on Mondays\r\ntime < 1 s\r\n"
    assert [clause.text for clause in parse(text)] == ["status == 200", "time < 1 s"]


def test_nothing_written_is_no_clauses() -> None:
    assert parse("") == ()


def test_a_clause_keeps_what_its_words_mean() -> None:
    clause = only("warn p95 time < 1.5 s over 30 m")
    assert clause.warn
    assert (clause.fact, clause.operator, clause.operands) == ("time", Operator.UNDER, (1_500_000,))
    assert (clause.percentile, clause.window) == (95, 30 * 60 * 1_000_000)


def test_sizes_are_bytes_by_the_thousand() -> None:
    assert only("size < 200 kB").operands == (200_000,)


def test_numbers_of_json_are_decimals() -> None:
    assert only("json $.total == 0.10").operands == (Decimal("0.10"),)


def test_a_list_keeps_its_ranges() -> None:
    wanted = (Range(Decimal(200), Decimal(299)), Decimal(304))
    assert only("status in 200..299, 304").operands == wanted


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        ("$['a b']", "exists"),
        ("$[?(@.a == 'x ] y')].b", "count >= 1"),
        ('$["quote \\" and space"]', "absent"),
        ("$.a[ 0 ]", "is number"),
    ],
)
def test_a_json_path_ends_at_the_first_space_outside_brackets_and_quotes(
    path: str, rest: str
) -> None:
    assert only(f"json {path} {rest}").argument == path


@pytest.mark.parametrize("fact", ["status", "redirects"])
def test_a_broken_clause_about_the_answer_makes_it_wrong(fact: str) -> None:
    assert only(f"{fact} == 100").is_about_answer


@pytest.mark.parametrize(
    "text",
    [
        "time < 1 s",
        "db.calls < 9",
        "db.time < 1 s",
        "cache is hit",
        "size < 1 kB",
        "certificate.days > 9",
        "errors < 1 % over 1 h",
    ],
)
def test_time_database_cache_size_and_certificate_never_make_an_answer_wrong(text: str) -> None:
    assert not only(text).is_about_answer


def test_only_what_we_measure_ourselves_is_about_time() -> None:
    about_time = [clause.is_about_time for clause in parse("time < 1 s\ntime.dns < 1 s")]
    assert about_time == [True, True]
    assert not only("db.time < 1 s").is_about_time
