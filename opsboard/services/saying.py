"""The parts of a sheet in words, for pages, plans and the audit trail. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from opsboard.expectations.units import exact_duration, exact_size
from opsboard.services.steps import Step, read_steps

type Line = tuple[str, str]

_LABELS = {
    "http": "HTTP version",
    "ip": "IP version",
    "redirects": "Redirects",
    "server_name": "Server name",
    "host": "Host header",
    "authority": "Own CA",
    "certificate": "Client certificate",
    "key": "Its key",
    "basic": "Signs in",
    "bearer": "Bearer token",
    "proxy": "Proxy",
    "compressed": "Compressed answers",
    "max_body": "Longest body",
}


def connection_lines(connection: Mapping[str, Any]) -> Iterator[Line]:
    """A label and a text for each option; the form, which is sent, is none."""
    for key, label in _LABELS.items():
        if key in connection:
            yield label, _option(key, connection[key])


def _option(key: str, value: Any) -> str:
    if key == "basic":
        return f"{value['user']}, password {value['password']}"
    if key == "max_body":
        return exact_size(value)
    if key == "compressed":
        return "asked for"
    if key == "redirects":
        return f"{value} at most"
    return certificate_words(value) if "-----BEGIN" in str(value) else str(value)


def certificate_words(pem: str) -> str:
    """By its digest: nobody reads the text, and a change of it shows."""
    digest = blake2b(pem.encode(), digest_size=4).hexdigest()
    count = pem.count("-----BEGIN")
    return f"{count} certificate{'s' if count != 1 else ''} in PEM, {digest}"


def heartbeat_lines(heartbeat: Mapping[str, Any]) -> Iterator[Line]:
    if every := heartbeat.get("every"):
        yield "Every", exact_duration(every)
    if cron := heartbeat.get("cron"):
        yield "Cron", f"{cron} in {heartbeat.get('zone') or 'UTC'}"
    if grace := heartbeat.get("grace"):
        yield "Late after", exact_duration(grace)
    if longest := heartbeat.get("longest"):
        yield "Runs at most", exact_duration(longest)


def asked_words(
    kind: str, method: str, route: str, steps: int, heartbeat: Mapping[str, Any]
) -> str:
    """What a path asks, on one line: "GET /price", "TCP db:5432", "3 steps", "every 1 h"."""
    if kind == "heartbeat":
        every, cron = heartbeat.get("every"), heartbeat.get("cron", "")
        return f"reports in every {exact_duration(every)}" if every else f"reports in at {cron}"
    if steps:
        return f"{steps} step{'s' if steps != 1 else ''}"
    return f"{method} {route}" if kind == "http" else f"{kind.upper()} {route}"


def labelled(lines: Iterable[Line]) -> str:
    """ "ip version: 4", a line each."""
    return "\n".join(f"{label.lower()}: {text}" for label, text in lines)


def steps_text(steps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The lines of all steps, as they are stored."""
    for number, step in enumerate(read_steps(steps), 1):
        yield from step_lines(number, step)


def step_lines(number: int, step: Step) -> Iterator[str]:
    """A step as lines; the first names it."""
    always = ", always" if step.always else ""
    yield f"{number}. {step.name}: {step.method} {step.route}{always}"
    yield from (f"   header {name}: {value}" for name, value in step.headers)
    yield from (f"   query {name}={value}" for name, value in step.query)
    yield from (f"   form {name}={value}" for name, value in step.form)
    yield from (f"   body {line}" for line in step.body.split("\n") if step.body)
    yield from (f"   expect {clause}" for clause in step.expect)
    yield from (f"   take {name} from {place}" for name, place in sorted(step.take.items()))
