"""From a sheet, its environment and its variables to the requests they describe."""

import json
from urllib.parse import urlencode

from opsboard.outbound.reply import Ask
from opsboard.probes.connections import (
    FORM,
    SHORTEST_SECRET,
    Fill,
    connection_of,
    form_body,
    headers_of,
    limits_of,
)
from opsboard.services.models import CriticalPath, Environment
from opsboard.services.rules import MARK
from opsboard.services.secrets import CannotDecrypt


class NotOrderable(Exception):
    """The sheet cannot be asked as it stands. The message says what to set, and where."""


def values_of(environment: Environment) -> dict[str, str]:
    """Its variables by name. Raises NotOrderable for a secret that cannot be decrypted."""
    try:
        return environment.values()
    except CannotDecrypt as error:
        raise NotOrderable(
            f"A secret of {environment.slug} cannot be decrypted. Enter it again in the "
            "environment, or bring its key back into OPSBOARD_FIELD_KEYS."
        ) from error


def secrets_of(environment: Environment, values: dict[str, str]) -> tuple[str, ...]:
    """Values never to be stored or shown, longest first."""
    secret = [
        values[variable.name]
        for variable in environment.variables.all()
        if variable.is_secret and len(values.get(variable.name, "")) >= SHORTEST_SECRET
    ]
    return tuple(sorted(secret, key=len, reverse=True))


def render(path: CriticalPath, environment: Environment, values: dict[str, str]) -> Ask:
    """The request a sheet describes. Raises NotOrderable for a variable that is not set."""
    fill = filler(environment, values)
    headers = [(name, fill(value)) for name, value in path.headers]
    own = {name.lower() for name, _ in headers}
    implied = headers_of(path.connection, fill)
    form = path.connection.get("form", [])
    body = form_body(form, fill) if form else fill(path.body).encode()
    if body:
        kind = "application/json" if _is_json(body) else "text/plain"
        implied.append(("Content-Type", FORM if form else kind))
    headers += [(name, value) for name, value in implied if name.lower() not in own]
    query = urlencode([(name, fill(value)) for name, value in path.query])
    return Ask(
        method=path.method,
        url=address(environment.base_url, fill(path.route), query),
        headers=tuple(headers),
        body=body,
        timeout=path.timeout,
        connection=connection_of(path.connection, fill),
        **limits_of(path.connection, follows=path.follows_redirects),
    )


def filler(environment: Environment, values: dict[str, str]) -> Fill:
    """Fills the marks of a text. What it returns raises NotOrderable as `render` does."""

    def fill(text: str) -> str:
        return MARK.sub(lambda mark: value_of(mark[1], values, environment), text)

    return fill


def value_of(name: str, values: dict[str, str], environment: Environment) -> str:
    """A variable's value. Raises NotOrderable for one that is not set, with what to set."""
    if name not in values:
        if any(one.name == name and one.is_unset for one in environment.variables.all()):
            raise NotOrderable(
                f"secret {name} is not set for {environment.slug}: type its value in the "
                "environment, or set what its board file names and apply it again."
            )
        raise NotOrderable(
            f"{{{{ {name} }}}} is not set in {environment.slug}: add {name} to its variables."
        )
    return values[name]


def address(base_url: str, route: str, query: str) -> str:
    """The whole address of a route. A route that is one already stands for itself."""
    whole = route.startswith(("http://", "https://"))
    url = route if whole else f"{base_url.rstrip('/')}/{route.lstrip('/')}"
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
