"""What to ask: a sheet, its environment and its variables, compiled once for each edit.

An order is a plain value. What cannot be compiled (a variable that is not set, a secret that cannot
be decrypted) is an order with a problem: an error of our own, never a verdict on the service.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from urllib.parse import quote

from django.conf import settings

from opsboard.expectations.grammar import ClauseErrors, parse
from opsboard.expectations.tally import keep_for
from opsboard.expectations.windows import implied_clause
from opsboard.outbound.egress import Policy, parse_allow
from opsboard.outbound.reply import Ask, Failure, Reply
from opsboard.people.probe_pass import HEADER, issue
from opsboard.probes.connections import SHORTEST_SECRET, with_forms
from opsboard.probes.models import Probe
from opsboard.probes.rendering import NotOrderable, render, secrets_of, values_of
from opsboard.probes.rules import UNWRITTEN, Expected
from opsboard.services.models import CriticalPath

MASKED = "[secret]"
# In a sheet of the built-in service this header is replaced by a fresh pass for each request.
SIGNED = (HEADER, "a signed pass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    probe_id: int
    version: int
    path_id: int
    service_id: int
    environment_id: int
    patience: int
    ask: Ask
    policy: Policy
    expected: Expected
    # Values never to be stored or shown, longest first.
    secrets: tuple[str, ...]
    # Opsboard's own service: asked as the built-in viewer.
    signs_in: bool
    # "" when the order can be asked.
    problem: str = ""

    def refusal(self) -> Reply:
        return Reply(failure=Failure.CONFIG, detail=f"error: {self.problem}", is_ours=True)

    def ask_for(self, slot_at: int, *, now: datetime) -> Ask:
        """The request of one slot: with its trace, and a pass for Opsboard's own pages."""
        headers = (*self.ask.headers, ("traceparent", traceparent(self.probe_id, slot_at)))
        if self.signs_in:
            path = "/" + self.ask.url.split("/", 3)[3].partition("?")[0]
            signed = issue(self.ask.method, path, now)
            headers = tuple((n, signed if (n, v) == SIGNED else v) for n, v in headers)
        return replace(self.ask, headers=headers)

    def mask(self, text: str) -> str:
        """Take every secret out of text that came back, also where it was percent-encoded."""
        for secret in self.secrets:
            text = text.replace(secret, MASKED).replace(quote(secret, safe=""), MASKED)
        return self._mask_cut(text) if "…" in text else text

    def _mask_cut(self, text: str) -> str:
        """A sentence is cut before it is masked: what stands before its … may be half a secret."""
        parts = text.split("…")
        for place, part in enumerate(parts[:-1]):
            for secret in self.secrets:
                shown = _shown_of(secret, part)
                part = part[: len(part) - shown] + MASKED if shown else part
            parts[place] = part
        return "…".join(parts)


def _shown_of(secret: str, text: str) -> int:
    """How much of the beginning of a secret stands at the end of the text; 0 for next to none."""
    most = min(len(secret), len(text))
    sizes = range(most, SHORTEST_SECRET - 1, -1)
    return next((size for size in sizes if text.endswith(secret[:size])), 0)


def traceparent(probe_id: int, slot_at: int) -> str:
    """W3C trace context, derived from probe and slot so that it needs no column of its own."""
    digest = hashlib.blake2b(f"{probe_id}/{slot_at}".encode(), digest_size=24).hexdigest()
    return f"00-{digest[:32]}-{digest[32:]}-01"


@cache
def policy_of_this_place() -> Policy:
    """Who may be reached: `script/up` allows what is near, production what the operator names."""
    return Policy(
        allow=parse_allow(settings.EGRESS_ALLOW),
        allow_loopback=settings.EMBEDDED,
        allow_private=settings.EMBEDDED,
    )


def compile_order(probe: Probe) -> Order:
    """Compile one probe's order. Reads path, environment and variables: prefetch them."""
    path, environment = probe.path, probe.environment
    problem, ask = "", Ask(method="GET", url="")
    secrets: tuple[str, ...] = ()
    expected = compile_expected("", path.interval)
    try:
        values = values_of(environment)
        secrets = secrets_of(environment, values)
        ask = render(path, environment, values)
        secrets = with_forms(secrets, ask)
        expected = compile_expected(path.expected_result, path.interval)
    except NotOrderable as error:
        problem = str(error)
    return Order(
        probe_id=probe.pk,
        version=probe.order_version,
        path_id=path.pk,
        service_id=path.service_id,
        environment_id=environment.pk,
        patience=path.patience,
        ask=ask,
        policy=policy_for(path, ask.url),
        expected=expected,
        secrets=secrets,
        signs_in=is_own(path, ask.url),
        problem=problem,
    )


def policy_for(path: CriticalPath, url: str) -> Policy:
    """Opsboard may ask its own address wherever it runs; nobody else gains anything by that."""
    here = policy_of_this_place()
    if is_own(path, url):
        return replace(here, allow_loopback=True, allow_private=True)
    return here


def is_own(path: CriticalPath, url: str) -> bool:
    is_direct = not path.connection.get("proxy")
    return path.service.is_built_in and is_direct and url.startswith(settings.SELF_URL + "/")


def compile_expected(text: str, interval: int) -> Expected:
    try:
        clauses = parse(text)
    except ClauseErrors as error:
        wrong = error.errors[0].message.rstrip(".")
        raise NotOrderable(
            f"The expected result cannot be read: {wrong}. Edit the sheet."
        ) from error
    windowed = tuple(clause for clause in clauses if clause.window)
    implied = implied_clause(clauses, interval)
    return Expected(
        clauses=tuple(clause for clause in clauses if not clause.window) or UNWRITTEN,
        windowed=windowed,
        implied=implied,
        keep=keep_for((*windowed, *([implied] if implied else []))),
    )
