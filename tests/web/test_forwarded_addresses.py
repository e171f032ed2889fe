"""What a proxy says of the client is believed from the proxies named in the settings only."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from opsboard.web.middleware import ForwardedAddress

PROXY, OTHER_PROXY, CLIENT, STRANGER = "10.0.0.2", "10.0.0.3", "203.0.113.7", "198.51.100.9"


@pytest.fixture
def seen(settings):
    """The request as the views see it, sent by `sender` with these headers."""
    settings.TRUSTED_PROXIES = ["10.0.0.0/24", "fd00::/8"]

    def send(sender, **headers):
        kept = []
        middleware = ForwardedAddress(lambda request: kept.append(request) or HttpResponse())
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        middleware(RequestFactory().get("/", REMOTE_ADDR=sender, headers=names))
        return kept[0]

    return send


@pytest.mark.parametrize(
    ("sender", "forwarded", "client"),
    [
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"{STRANGER}, {CLIENT}", CLIENT),
        (PROXY, f"{STRANGER}, {CLIENT}, {OTHER_PROXY}", CLIENT),
        (PROXY, f"{PROXY}, {CLIENT}", CLIENT),
        (PROXY, f" {CLIENT} ,", CLIENT),
        (PROXY, "2001:db8::7", "2001:db8::7"),
        ("fd00::2", "[2001:db8::7]", "2001:db8::7"),
        ("::ffff:10.0.0.2", CLIENT, CLIENT),
        (PROXY, "unknown", PROXY),
        (PROXY, "", PROXY),
        (PROXY, OTHER_PROXY, PROXY),
        (STRANGER, CLIENT, STRANGER),
        (STRANGER, f"{CLIENT}, {PROXY}", STRANGER),
        ("", CLIENT, ""),
    ],
)
def test_the_client_is_the_right_most_hop_that_is_not_ours(seen, sender, forwarded, client):
    assert seen(sender, X_Forwarded_For=forwarded).META["REMOTE_ADDR"] == client


def test_a_stranger_cannot_say_that_the_request_is_safe_or_for_another_host(seen):
    request = seen(STRANGER, X_Forwarded_Proto="https", X_Forwarded_Host="evil.example")
    assert not request.is_secure()
    assert request.META.get("HTTP_HOST", "testserver") == "testserver"


def test_a_proxy_says_so(seen):
    request = seen(
        PROXY, X_Forwarded_For=CLIENT, X_Forwarded_Proto="https", X_Forwarded_Host="ops.example"
    )
    assert request.is_secure()
    assert request.META["HTTP_HOST"] == "ops.example"


@pytest.mark.parametrize(
    ("hops", "proto", "secure"),
    [
        (CLIENT, "http, https", True),
        (CLIENT, "https, http", False),
        (f"{CLIENT}, {OTHER_PROXY}", "https, http", True),
        (f"{CLIENT}, {OTHER_PROXY}", "https, http, http", False),
        (f"{CLIENT}, {OTHER_PROXY}", "https", True),
    ],
)
def test_the_scheme_is_what_the_outermost_of_our_proxies_saw(seen, hops, proto, secure):
    request = seen(PROXY, X_Forwarded_For=hops, X_Forwarded_Proto=proto)
    assert request.is_secure() is secure


def test_without_proxies_nothing_is_believed(seen, settings):
    settings.TRUSTED_PROXIES = []
    assert seen(PROXY, X_Forwarded_For=CLIENT).META["REMOTE_ADDR"] == PROXY
