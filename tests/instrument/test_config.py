import hashlib
import hmac
import subprocess
import sys
import time

import pytest

from opsboard.instrument import config

K = "k" * 32
SECRET = "postgres://fares:h0rse-battery-staple@db.internal/fares"


def test_a_fingerprint_is_as_the_model_writes_it() -> None:
    said = b"opsboard-config-v1\0DATABASE_URL\0" + SECRET.encode()
    expected = hmac.new(K.encode(), said, hashlib.sha256).hexdigest()[:16]
    assert config.fingerprint(K, "DATABASE_URL", SECRET) == expected


@pytest.mark.parametrize(
    ("key", "name", "value"),
    [
        pytest.param("j" * 32, "DATABASE_URL", SECRET, id="another key"),
        pytest.param(K, "CACHE_URL", SECRET, id="another name"),
        pytest.param(K, "DATABASE_URL", SECRET + "2", id="another value"),
    ],
)
def test_another_fingerprint_for(key: str, name: str, value: str) -> None:
    other = config.fingerprint(K, "DATABASE_URL", SECRET)
    assert config.fingerprint(key, name, value) != other


@pytest.mark.parametrize("key", ["", "short", "k" * 31, b"k" * 31, " " * 40, "k" * 31 + "\n"])
def test_a_key_that_is_too_short_is_refused_everywhere(key: str | bytes) -> None:
    with pytest.raises(config.ConfigError, match="at least 32"):
        config.fingerprint(key, "DEBUG", "false")
    with pytest.raises(config.ConfigError, match="at least 32"):
        config.config_root(key, ["DEBUG"], {})


def test_what_is_not_set_has_no_fingerprint_and_an_empty_value_is_not_set() -> None:
    told = config.fingerprints(K, ["B", "A", "C", "A"], {"A": "1", "B": ""})
    assert list(told) == ["A", "B", "C"]
    assert told["A"] == config.fingerprint(K, "A", "1")
    assert told["B"] is told["C"] is None


@pytest.mark.parametrize(
    ("names", "values"),
    [
        pytest.param(["A", "B"], {"A": "1"}, id="a key that is missing"),
        pytest.param(["A"], {"A": "1", "B": "2"}, id="fewer names"),
        pytest.param(["A", "B", "C"], {"A": "1", "B": "2"}, id="more names"),
        pytest.param(["A", "B"], {"A": "1", "B": "3"}, id="another value"),
        pytest.param(["A", "B"], {"A": "2", "B": "1"}, id="values of each other"),
    ],
)
def test_another_root_for(names: list[str], values: dict[str, str]) -> None:
    root = config.config_root(K, ["A", "B"], {"A": "1", "B": "2"})
    assert config.config_root(K, names, values) != root


def test_the_root_does_not_depend_on_the_order_and_follows_from_the_fingerprints() -> None:
    values = {"A": "1", "B": "2"}
    root = config.config_root(K, ["A", "B", "C"], values)
    assert root == config.config_root(K, ["C", "B", "A", "A"], values)
    assert root == config.root_of(config.fingerprints(K, ["A", "B", "C"], values))
    assert len(root) == 64


@pytest.mark.parametrize(
    ("value", "equals", "matches", "expected"),
    [
        pytest.param("false", "false", "", True, id="the text"),
        pytest.param("False", "false", "", False, id="the text in capitals"),
        pytest.param("https://a.example", "", "^https://", True, id="the pattern"),
        pytest.param("http://a.example", "", "^https://", False, id="not the pattern"),
        pytest.param("false", "false", "^f", True, id="both"),
        pytest.param("false", "false", "^t", False, id="the text without the pattern"),
        pytest.param(None, "false", "", False, id="not set"),
        pytest.param("", "", ".*", False, id="empty"),
        pytest.param("x", "", "", True, id="no rule"),
        pytest.param("\udce9\n\t", "", "^.", True, id="not a character"),
    ],
)
def test_a_rule_is_a_yes_or_a_no(
    value: str | None, equals: str, matches: str, expected: bool
) -> None:
    assert config.holds(value, equals=equals, matches=matches) is expected


def test_rules_are_told_by_name() -> None:
    rules = {"DEBUG": {"equals": "false"}, "URL": {"matches": "^https:"}, "GONE": {"equals": "1"}}
    values = {"DEBUG": "false", "URL": "http://a.example"}
    assert config.rules_hold(rules, values) == {"DEBUG": True, "GONE": False, "URL": False}


def test_a_pattern_that_takes_for_ever_is_stopped_and_does_not_match(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(config, "PATTERN_SECONDS", 0.3)
    started = time.monotonic()
    assert config.holds("a" * 60 + "!", matches="^(a+)+$") is False
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("pattern", ["(", "[b-a]", "x" * 501, "(?P<a>.)(?P<a>.)"])
def test_a_pattern_that_cannot_be_read_is_refused(pattern: str) -> None:
    assert config.pattern_refusal(pattern)
    with pytest.raises(config.ConfigError):
        config.holds("x", matches=pattern)


def test_no_error_says_the_value() -> None:
    for wrong in (
        lambda: config.fingerprint("short", "PASSWORD", SECRET),
        lambda: config.fingerprint(K, "", SECRET),
        lambda: config.fingerprint(K, "A\nB", SECRET),
        lambda: config.fingerprint(K, "PASSWORD", SECRET.encode()),  # type: ignore[arg-type]
        lambda: config.holds(SECRET, matches="("),
    ):
        with pytest.raises(config.ConfigError) as refused:
            wrong()
        assert SECRET not in str(refused.value)
        assert str(len(SECRET)) not in str(refused.value)


def test_it_needs_nothing_but_the_standard_library() -> None:
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, opsboard.instrument.config;"
            "print(*{n.partition('.')[0] for n in sys.modules} - set(sys.stdlib_module_names))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {name for name in said.stdout.split() if not name.startswith("_")} <= {"opsboard"}
