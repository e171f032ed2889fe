"""Paths that are not stored yet: asked once, and put on the board with all they need."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from opsboard.expectations.clauses import Clause
from opsboard.expectations.grammar import ClauseErrors, parse
from opsboard.expectations.proposals import propose
from opsboard.outbound.reply import Ask, Reply
from opsboard.people import audit
from opsboard.people.audit import Actor
from opsboard.probes.connections import with_forms
from opsboard.probes.models import stand_up
from opsboard.probes.orders import Order, compile_expected, policy_for
from opsboard.probes.rendering import NotOrderable, render
from opsboard.probes.rules import Judgement
from opsboard.services.models import SECOND, CriticalPath, Service
from opsboard.services.told import subject_of, tell
from opsboard.web.saving import note_down
from opsboard.web.starting import Start

WITHOUT_A_REPLY = "status == 200"
HEALTH = "status in 200..399"


def draft(start: Start, *, expected_result: str = "", name: str = "") -> CriticalPath:
    """The path that was pasted, not stored."""
    request = start.request
    return CriticalPath(
        service=start.service or Service(),
        name=name,
        method=request.method,
        route=start.route,
        query=request.query,
        headers=request.headers,
        body=request.body,
        follows_redirects=request.follows_redirects,
        expected_result=expected_result,
    )


def order_for(path: CriticalPath, start: Start) -> Order:
    """The order of a path that is not stored yet, in an environment that may not be either."""
    problem, ask = "", Ask(method="GET", url="")
    try:
        ask = render(path, start.environment, start.values)
    except NotOrderable as error:
        problem = str(error)
    return Order(
        probe_id=0,
        version=0,
        path_id=0,
        service_id=0,
        environment_id=0,
        patience=path.patience,
        patience_to_recover=path.patience_to_recover or path.patience,
        ask=ask,
        policy=policy_for(path, ask.url),
        expected=compile_expected(path.expected_result, path.interval),
        secrets=with_forms(start.hidden, ask),
        signs_in=False,
        problem=problem,
    )


def proposal(reply: Reply, judgement: Judgement) -> str:
    """Clauses from the reply; without one, the least that can be expected."""
    return "\n".join(propose(reply, judgement.facts)) or WITHOUT_A_REPLY


def readable(text: str) -> tuple[Clause, ...]:
    """The clauses of a text; of one that cannot be read none: the form says what is wrong."""
    try:
        return parse(text)
    except ClauseErrors:
        return ()


def health_path(start: Start) -> CriticalPath:
    """The health path of a service that has none, when another path is put on the board."""
    return CriticalPath(
        service=start.service or Service(),
        slug="health",
        name="Health",
        route="/",
        expected_result=HEALTH,
        timeout=5 * SECOND,
    )


def health_expected(reply: Reply) -> str:
    """A root that answers 404 or 401 says as well that the service is up."""
    if reply.status is not None and 400 <= reply.status < 500:
        return f"{HEALTH}, {reply.status}"
    return HEALTH


@transaction.atomic
def put_on_board(
    start: Start, service: Service, paths: list[CriticalPath], *, actor: Actor, now: datetime
) -> None:
    """Store the environment, the secrets and the paths of a stored `service`, and probe them."""
    Service.objects.select_for_update().get(pk=service.pk)
    environment = start.environment
    environment.service = service
    before = tell(environment) if environment.pk else None
    if before is None:
        environment.save()
    for name, value in start.request.secrets.items():
        variable, _ = environment.variables.get_or_create(name=name, defaults={"is_secret": True})
        variable.keep(value)
        variable.save()
    if before is None or start.request.secrets:
        audit.record(
            actor,
            "changed" if before else "added",
            "environment",
            subject_of(environment),
            now=now,
            before=before,
            after=tell(environment, new_secrets=start.request.secrets),
        )
    has_others = service.environments.standing().exclude(pk=environment.pk).exists()
    for path in paths:
        path.service = service
        path.save()
        if has_others:
            # Pasted from one place: nobody has said that it is so in the others.
            path.environments.add(environment)
        note_down(actor, "added", path, now=now)
    stand_up(service, now=now, location=settings.HOME_LOCATION)
