"""From a sheet, its environment and its variables to the requests they describe."""

import json
from collections.abc import Iterable
from urllib.parse import quote, urlencode

from opsboard.outbound.reply import Ask
from opsboard.services.models import CriticalPath, Environment
from opsboard.services.rules import MARK
from opsboard.services.secrets import CannotDecrypt

MASKED = "[secret]"


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
    # Shorter ones would mask half of every answer, and protect nothing.
    secret = [
        values[variable.name]
        for variable in environment.variables.all()
        if variable.is_secret and len(values.get(variable.name, "")) >= 4
    ]
    return tuple(sorted(secret, key=len, reverse=True))


def without(secrets: Iterable[str], text: str) -> str:
    """The text with every secret taken out, also where it was percent-encoded."""
    for secret in secrets:
        text = text.replace(secret, MASKED).replace(quote(secret, safe=""), MASKED)
    return text


def render(path: CriticalPath, environment: Environment, values: dict[str, str]) -> Ask:
    """The request a sheet describes. Raises NotOrderable for a variable that is not set."""

    def fill(text: str) -> str:
        return MARK.sub(lambda mark: _value(mark[1], values, environment), text)

    headers = [(name, fill(value)) for name, value in path.headers]
    body = fill(path.body).encode()
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json" if _is_json(body) else "text/plain"))
    query = urlencode([(name, fill(value)) for name, value in path.query])
    return Ask(
        method=path.method,
        url=address(environment.base_url, fill(path.route), query),
        headers=tuple(headers),
        body=body,
        timeout=path.timeout,
        follow=path.follows_redirects,
    )


def _value(name: str, values: dict[str, str], environment: Environment) -> str:
    if name not in values:
        if any(one.name == name and one.is_unset for one in environment.variables.all()):
            raise NotOrderable(
                f"The secret {name} is not set in {environment.slug}: set what its board file "
                "names and apply it again, or type the value in the environment."
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
