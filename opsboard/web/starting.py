"""Where a pasted request belongs: the service, its environment, and names for it."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from opsboard.services.addresses import check_url, host_of, site_of
from opsboard.services.models import Environment, Service
from opsboard.services.secrets import CannotDecrypt
from opsboard.web.curl import Pasted
from opsboard.web.sheet_request import SheetRequest, sheet_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where a pasted request belongs. `service` is None while it is a new one."""

    service: Service | None
    # Stored, or a new production that is not.
    environment: Environment
    request: SheetRequest
    # The request's route below the environment, or its whole address when it lies elsewhere.
    route: str
    # Headers that were pasted, but that Opsboard writes itself.
    left_out: tuple[str, ...]
    # What the environment's variables are, with the secrets that were pasted.
    values: dict[str, str]
    # Those of them that are never to be shown.
    hidden: tuple[str, ...]

    @property
    def lacks_health(self) -> bool:
        """Every service has the path health; one that was removed is not made again."""
        return self.service is None or not self.service.paths.filter(slug="health").exists()

    @property
    def becomes_health(self) -> bool:
        return self.request.is_health and self.lacks_health

    @property
    def secret_names(self) -> list[str]:
        return list(self.request.secrets)


def start_from(pasted: Pasted, service: Service | None) -> Start:
    """`service` is the one that was named; None: the one that already runs at this address, or a
    new one."""
    service = service or _service_at(pasted.url)
    environment = _environment(service, pasted.url)
    known = _values(environment)
    request = sheet_request(pasted, known)
    return Start(
        service=service,
        environment=environment,
        request=request,
        route=_route(request, environment)
        if _is_below(pasted.url, environment.base_url)
        else request.site + request.route,
        left_out=pasted.left_out,
        values=known | request.secrets,
        hidden=_hidden(environment, known | request.secrets, request.secrets),
    )


def _hidden(
    environment: Environment, values: dict[str, str], pasted: dict[str, str]
) -> tuple[str, ...]:
    stored = environment.variables.filter(is_secret=True) if environment.pk else []
    names = {variable.name for variable in stored} | set(pasted)
    # Shorter ones would mask half of every answer, and protect nothing.
    found = {values[name] for name in names if len(values.get(name, "")) >= 4}
    return tuple(sorted(found, key=len, reverse=True))


def _service_at(url: str) -> Service | None:
    places = Environment.objects.standing().select_related("service__team").order_by("pk")
    for environment in places:
        if _is_below(url, environment.base_url):
            return environment.service
    return None


def _is_below(url: str, base_url: str) -> bool:
    whole, base = _normal(url), _normal(base_url)
    return bool(base) and (whole == base or whole.startswith((f"{base}/", f"{base}?")))


def _normal(url: str) -> str:
    """An address with its host in one spelling, without a slash at the end; "" when it is none."""
    if check_url(url):
        return ""
    rest = re.sub(r"^[^/]*//[^/?]*", "", url)
    return (site_of(url) + rest).rstrip("/")


def _environment(service: Service | None, url: str) -> Environment:
    stored = list(service.environments.standing().order_by("pk")) if service else []
    below = [one for one in stored if _is_below(url, one.base_url)]
    production = [one for one in stored if one.slug == "production"]
    candidates = below or production or stored
    return candidates[0] if candidates else Environment(base_url=site_of(url))


def _values(environment: Environment) -> dict[str, str]:
    try:
        return environment.values() if environment.pk else {}
    except CannotDecrypt:
        # The path page will say so; nothing that was pasted depends on it.
        return {}


def _route(request: SheetRequest, environment: Environment) -> str:
    """Below the environment; the whole address where that leaves no route."""
    whole = request.site + request.route
    route = whole[len(_normal(environment.base_url)) :]
    return route if route.startswith("/") else whole


def guessed_service(url: str) -> str:
    """A name for the service at an address: its host's first telling word; "" for a number."""
    host = host_of(url).strip("[]")
    try:
        ip_address(host)
    except ValueError:
        words = [word for word in host.split(".") if word not in ("www", "api")]
        return words[0] if words and words[0] != "localhost" else ""
    return ""


def guessed_name(start: Start) -> str:
    """A name for the path: the last word of its route, as a sentence begins."""
    if start.becomes_health:
        return "Health"
    route = start.route.partition("?")[0].rstrip("/")
    words = [word for word in route.split("/") if re.search(r"[A-Za-z]{2}", word)]
    plain = re.sub(r"[^A-Za-z0-9]+", " ", words[-1]).strip() if words else ""
    return plain[:1].upper() + plain[1:]
