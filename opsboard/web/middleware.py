"""What happens before a view: whose address it is, who asks, and whether they may."""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest, ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.utils.http import urlencode

from opsboard.people import probe_pass
from opsboard.people.models import administrators, built_in_viewer, role_of
from opsboard.web import resuming
from opsboard.web.access import NOBODY, required_role

type Next = Callable[[HttpRequest], HttpResponseBase]
type Address = ipaddress.IPv4Address | ipaddress.IPv6Address
type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

FORWARDED = {
    "hops": "HTTP_X_FORWARDED_FOR",
    "proto": "HTTP_X_FORWARDED_PROTO",
    "host": "HTTP_X_FORWARDED_HOST",
}


class ForwardedAddress:
    """Believe X-Forwarded-For, -Proto and -Host from the proxies named in the settings only.

    The client is the right-most hop that is not such a proxy: what stands left of it, it wrote
    itself. From anybody else the headers are removed before anything reads them.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response
        self.proxies = [ipaddress.ip_network(item) for item in settings.TRUSTED_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        forwarded = {
            name: _values(request.META.pop(header, "")) for name, header in FORWARDED.items()
        }
        if self._is_proxy(_address(request.META.get("REMOTE_ADDR", ""))):
            self._believe(request, **forwarded)
        return self.get_response(request)

    def _believe(
        self, request: HttpRequest, *, hops: list[str], proto: list[str], host: list[str]
    ) -> None:
        proxies = self._proxies_passed(hops)
        if proxies <= len(hops) and (client := _address(hops[-proxies])):
            request.META["REMOTE_ADDR"] = str(client)
        if proto:
            request.META["HTTP_X_FORWARDED_PROTO"] = _hop(proto, proxies)
        if host:
            request.META["HTTP_HOST"] = _hop(host, proxies)

    def _proxies_passed(self, hops: Sequence[str]) -> int:
        """How many proxies of ours the request came through: 1, and one for each named hop."""
        passed = 1
        for hop in reversed(hops):
            if not self._is_proxy(_address(hop)):
                break
            passed += 1
        return passed

    def _is_proxy(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self.proxies)


def _values(header: str) -> list[str]:
    return [value.strip() for value in header.split(",") if value.strip()]


def _hop(values: Sequence[str], proxies: int) -> str:
    """What the outermost of our proxies said; inner ones may repeat it or leave it out."""
    return values[max(len(values) - proxies, 0)]


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


class ReadableAddress:
    """Refuse an address with a NUL in it: nothing is called so, and no database is asked for it.

    Of the pages. A form says it at its field, the API as JSON, and a job's report in plain text.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        if request.path.startswith(("/api/", "/beat/")):
            return
        asked = (text for name, values in request.GET.lists() for text in (name, *values))
        if "\x00" in request.path or any("\x00" in text for text in asked):
            raise BadRequest("The address holds a NUL.")


class BuiltInViewer:
    """Let Opsboard's own probes read its pages. A pass that does not hold changes nothing."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        value = request.headers.get(probe_pass.HEADER)
        if value and probe_pass.check(value, request.method or "", request.path, timezone.now()):
            request.user = built_in_viewer()
        return self.get_response(request)


class RequireRole:
    """Hold every view to the role it declares. A view that declares none is never opened."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: object, _kwargs: object
    ) -> HttpResponseBase | None:
        needed = required_role(view)
        if needed is None:
            raise ImproperlyConfigured(
                f"{view.__module__}.{view.__qualname__} declares no role. Put @requires on it."
            )
        if needed == NOBODY:
            return None
        if not request.user.is_authenticated:
            return _send_to_sign_in(request)
        role = role_of(request.user)
        return None if role and role.allows(needed) else _refuse(request, needed)


def _send_to_sign_in(request: HttpRequest) -> HttpResponse:
    if draft := resuming.sent_in(request):
        return resuming.sign_in_page(request, draft)
    if request.method not in ("GET", "HEAD"):
        return render(request, "403.html", {"needed": "signed in"}, status=403)
    if "HX-Request" in request.headers:
        # A redirect would be followed and the sign-in page put into the middle of the page.
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        here = f"{page.path}?{page.query}" if page.query else page.path
        return HttpResponse(status=401, headers={"HX-Redirect": _sign_in_url(here or "/")})
    return HttpResponse(status=302, headers={"Location": _sign_in_url(request.get_full_path())})


def _sign_in_url(then: str) -> str:
    return f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': then})}"


def _refuse(request: HttpRequest, needed: str) -> HttpResponse:
    context = {"needed": needed, "held": role_of(request.user), "administrators": administrators()}
    return render(request, "403.html", context, status=403)
