"""A small company to test on, made in the database: one service, its paths, and results by hand."""

from datetime import UTC, datetime
from itertools import count

from opsboard.outbound.reply import Phases, Reply
from opsboard.people.audit import Actor, Via
from opsboard.probes.models import Probe, microseconds, stand_up
from opsboard.probes.orders import compile_order
from opsboard.probes.results import Result, judge_result
from opsboard.probes.schedule import Claim, claim
from opsboard.services.models import CriticalPath, Environment, Service, Team

SECOND = 1_000_000
# Who makes links and changes people where a test does not say who.
BY = Actor(None, Via.COMMAND, who="a test")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

GOOD = Reply(status=200, http_version="1.1", body=b"ok", phases=Phases(total=20_000))
BAD = Reply(status=503, http_version="1.1", body=b"no", phases=Phases(total=20_000))

_numbers = count(1)


def a_service(slug: str = "") -> Service:
    number = next(_numbers)
    team, _ = Team.objects.get_or_create(
        slug="pricing", defaults={"name": "Pricing", "contact": "#pricing-on-call"}
    )
    service = Service.objects.create(
        slug=slug or f"service-{number}", name=slug or f"service-{number}", team=team
    )
    service.environments.create(slug="production", base_url="http://127.0.0.1:9")
    return service


def a_path(service: Service | None = None, **fields: object) -> CriticalPath:
    number = next(_numbers)
    values = {
        "slug": f"path-{number}",
        "name": f"Path {number}",
        "route": "/health",
        "expected_result": "status == 200",
        "user_notices": "The price stays empty",
    }
    return CriticalPath.objects.create(service=service or a_service(), **(values | fields))


def a_probe(path: CriticalPath | None = None, *, now: datetime | None = None) -> Probe:
    path = path or a_path()
    stand_up(path.service, now=now or datetime.now(UTC), location="default")
    return Probe.objects.get(path=path)


def claims(limit: int = 100) -> list[Claim]:
    return claim("default", limit)[1]


def result_of(taken: Claim, reply: Reply, *, asked_at: int | None = None) -> Result:
    """What a worker would make of `reply` to a claimed probe."""
    probe = Probe.objects.for_pages().prefetch_related("environment__variables")
    order = compile_order(probe.get(pk=taken.probe_id))
    return judge_result(taken, order, reply, asked_at=asked_at or taken.slot_at)


def make_due(probe: Probe) -> None:
    Probe.objects.filter(pk=probe.pk).update(slot_at=microseconds(datetime.now(UTC)) - SECOND // 10)


def production(service: Service) -> Environment:
    return service.environments.get(slug="production")
