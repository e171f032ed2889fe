"""What to ask: a sheet, its environment and its variables, compiled once for each edit.

An order is a plain value. What cannot be compiled (a variable that is not set, a secret that cannot
be decrypted) is an order with a problem: an error of our own, never a verdict on the service.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from ipaddress import ip_address

from django.conf import settings

from opsboard.expectations.grammar import ClauseErrors, parse
from opsboard.expectations.kinds import unwritten
from opsboard.expectations.tally import keep_for
from opsboard.expectations.windows import implied_clause
from opsboard.outbound.egress import Policy, parse_allow
from opsboard.outbound.lines import USER_AGENT
from opsboard.outbound.networks import NOT_OF_THE_WEB, Address
from opsboard.outbound.reply import Ask, Asked, Failure, Reply
from opsboard.people.probe_pass import HEADER, issue
from opsboard.probes.beat_rules import NoScheduleError, Schedule, schedule_of
from opsboard.probes.cache_modes import never_asked
from opsboard.probes.connections import with_forms
from opsboard.probes.fingerprints import fingerprint
from opsboard.probes.hiding import without
from opsboard.probes.models import Probe
from opsboard.probes.planning import plan_of
from opsboard.probes.probe_tokens import ProbeToken, token_of
from opsboard.probes.rendering import NotOrderable, secrets_of, values_of
from opsboard.probes.rules import Expected, with_exit
from opsboard.probes.walking import Plan, Walk
from opsboard.services.addresses import literal_of, place_of
from opsboard.services.models import CriticalPath

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
    patience_to_recover: int
    ask: Asked
    policy: Policy
    expected: Expected
    # Values never to be stored or shown, longest first.
    secrets: tuple[str, ...]
    # Opsboard's own service: asked as the built-in viewer.
    signs_in: bool
    # Shown to the service itself, so that it tells its times to nobody else.
    token: ProbeToken | None = None
    # A path of several requests, or one that is asked twice; None: `ask` is all there is to it.
    plan: Plan | None = None
    is_cold: bool = False
    # What is asked, in short: see opsboard.probes.fingerprints.
    fingerprint: str = ""
    # "" when the order can be asked.
    problem: str = ""
    # Of a heartbeat, which is not asked: opsboard.probes.beats reads how it stands.
    schedule: Schedule | None = None

    def refusal(self) -> Reply:
        return Reply(failure=Failure.CONFIG, detail=f"error: {self.problem}", is_ours=True)

    def ask_for(self, slot_at: int, *, now: datetime) -> Asked:
        """The request of one slot: with its trace, and a pass for Opsboard's own pages."""
        return self._dressed(self.ask, slot_at, now=now) if isinstance(self.ask, Ask) else self.ask

    def walk_for(self, slot_at: int, *, now: datetime, within: int | None = None) -> Walk | None:
        """The requests of one slot, where they are several. `within` shortens their timeout."""
        if self.plan is None:
            return None
        timeout = min(self.plan.timeout, within or self.plan.timeout)
        return Walk(
            replace(self.plan, timeout=timeout),
            now=now,
            dress=lambda ask, nth: self._dressed(ask, slot_at, nth, now=now),
        )

    def _dressed(self, ask: Ask, slot_at: int, nth: int = 0, *, now: datetime) -> Ask:
        headers = (*ask.headers, ("traceparent", traceparent(self.probe_id, slot_at, nth)))
        if self.signs_in:
            path = "/" + ask.url.split("/", 3)[3].partition("?")[0]
            signed = issue(ask.method, path, now)
            headers = tuple((n, signed if (n, v) == SIGNED else v) for n, v in headers)
        if self.token and self.token.goes_with(ask.url, ask.headers):
            headers = (*headers, (HEADER, self.token.value))
        if self.is_cold:
            return replace(ask, headers=headers, url=never_asked(ask.url))
        return replace(ask, headers=headers)

    def mask(self, text: str) -> str:
        """Take every secret out of text that came back, also where it was percent-encoded."""
        return without(self.secrets, text)


def traceparent(probe_id: int, slot_at: int, nth: int = 0) -> str:
    """W3C trace context, derived from probe and slot so that it needs no column of its own.

    The requests of one turn are one trace; `nth` counts them from 0.
    """
    digest = hashlib.blake2b(f"{probe_id}/{slot_at}".encode(), digest_size=24).hexdigest()
    span = digest[32:]
    if nth:
        span = hashlib.blake2b(f"{digest}/{nth}".encode(), digest_size=8).hexdigest()
    return f"00-{digest[:32]}-{span}-01"


@cache
def policy_of_this_place() -> Policy:
    """Who may be reached: `script/up` allows what is near, production what the operator names."""
    own, own_names = (frozenset(), frozenset()) if settings.EMBEDDED else _own_places()
    return Policy(
        allow=parse_allow(settings.EGRESS_ALLOW),
        allow_loopback=settings.EMBEDDED,
        allow_private=settings.EMBEDDED,
        refused_ports=NOT_OF_THE_WEB,
        own=own,
        own_names=own_names,
    )


@cache
def policy_of_kind(kind: str) -> Policy:
    """The ports that a browser refuses are those of protocols that other kinds of path ask."""
    here = policy_of_this_place()
    return here if kind == CriticalPath.Kind.HTTP else replace(here, refused_ports=frozenset())


def _own_places() -> tuple[frozenset[tuple[Address, int]], frozenset[tuple[str, int]]]:
    """Addresses and names at which Opsboard is reached, each with its port.

    Where its name leads is not looked up: the proxy there may serve others too.
    """
    urls = {settings.URL, settings.SELF_URL}
    literals = {literal for url in urls if (literal := literal_of(url))}
    return (
        frozenset((ip_address(host), port) for host, port in literals),
        frozenset(place_of(url) for url in urls),
    )


def compile_order(probe: Probe) -> Order:
    """Compile one probe's order. Reads path, environment and variables: prefetch them."""
    path, environment = probe.path, probe.environment
    ask: Asked
    problem, ask, plan = "", Ask(method="GET", url=""), None
    secrets: tuple[str, ...] = ()
    expected = compile_expected("", path.interval)
    schedule, token = None, None
    try:
        values = values_of(environment)
        secrets = secrets_of(environment, values)
        expected = compile_expected(path.expected_result, path.interval, kind=path.kind)
        if path.kind == CriticalPath.Kind.HEARTBEAT:
            schedule = compile_schedule(path)
            ask = Ask(method="Heartbeat", url=schedule.words)
        else:
            ask, plan = plan_of(path, environment, values, expected)
        if path.kind == CriticalPath.Kind.HTTP:
            token = token_of(environment, values)
    except NotOrderable as error:
        problem = str(error)
    asks: list[Asked] = [step.ask for step in plan.steps] if plan else [ask]
    for one in asks:
        secrets = with_forms(secrets, one)
    urls = [one.url for one in asks]
    # Of several, one that leads elsewhere says how far all of them may be trusted.
    url = next((one for one in urls if not is_own(path, one)), ask.url)
    return Order(
        probe_id=probe.pk,
        version=probe.order_version,
        path_id=path.pk,
        service_id=path.service_id,
        environment_id=environment.pk,
        patience=path.patience,
        patience_to_recover=path.patience_to_recover or path.patience,
        ask=ask,
        policy=policy_for(path, url),
        expected=expected,
        secrets=secrets,
        signs_in=is_own(path, url),
        token=token,
        plan=plan,
        is_cold=path.cache_mode == CriticalPath.CacheMode.COLD_QUERY,
        fingerprint=fingerprint_of(probe),
        problem=problem,
        schedule=schedule,
    )


def compile_schedule(path: CriticalPath) -> Schedule:
    try:
        return schedule_of(path.heartbeat)
    except NoScheduleError as error:
        raise NotOrderable(f"{error} Edit the sheet.") from error


def policy_for(path: CriticalPath, url: str) -> Policy:
    """Opsboard may ask its own address wherever it runs; nobody else gains anything by that."""
    here = policy_of_kind(path.kind)
    if is_own(path, url):
        return replace(
            here,
            allow_loopback=True,
            allow_private=True,
            refused_ports=frozenset(),
            own=frozenset(),
            own_names=frozenset(),
        )
    return here


def is_own(path: CriticalPath, url: str) -> bool:
    is_direct = not path.connection.get("proxy")
    return path.service.is_built_in and is_direct and url.startswith(settings.SELF_URL + "/")


@lru_cache(maxsize=4096)
def compile_expected(text: str, interval: int, *, kind: str = CriticalPath.Kind.HTTP) -> Expected:
    try:
        clauses = parse(text)
    except ClauseErrors as error:
        wrong = error.errors[0].message.rstrip(".")
        raise NotOrderable(
            f"The expected result cannot be read: {wrong}. Edit the sheet."
        ) from error
    windowed = tuple(clause for clause in clauses if clause.window)
    at_once = tuple(clause for clause in clauses if not clause.window)
    implied = implied_clause(clauses, interval)
    if kind == CriticalPath.Kind.HEARTBEAT:
        # Each of its observations looks at the same newest report: many of them prove no more.
        at_once, implied = with_exit(at_once), None
    return Expected(
        clauses=at_once or unwritten(kind),
        windowed=windowed,
        implied=implied,
        keep=keep_for((*windowed, *([implied] if implied else []))),
    )


def fingerprint_of(probe: Probe) -> str:
    plain = {one.name: one.value for one in probe.environment.variables.all() if not one.is_secret}
    return fingerprint(
        probe.path,
        base_url=probe.environment.base_url,
        variables=plain,
        location=probe.location,
        client=USER_AGENT.decode(),
    )
