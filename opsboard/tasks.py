"""Work for the clock: one thin function for each duty.

The bell may be lost, doubled or late: each duty reads from the database what there is to do.
"""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from opsboard.alerts import last_resort, noticing, planning, weekly
from opsboard.alerts.delivering import deliver as deliver_alerts
from opsboard.alerts.last_resort import watching_the_database
from opsboard.board import errands, removing
from opsboard.celery import is_stopping
from opsboard.changes import bursts, judging
from opsboard.incidents.suspecting import suspect_again
from opsboard.people import mailed_links, tokens, tries
from opsboard.probes import alive, history, versions
from opsboard.probes.drain import drain as drain_probes
from opsboard.probes.models import moment
from opsboard.probes.results import Result
from opsboard.probes.schedule import database_now
from opsboard.probes.shift import ring
from opsboard.releases.beside_changes import ABOVE
from opsboard.releases.running_out import running_out


def react(result: Result) -> None:
    """A confirmed change: the incident and its deliveries, in the transaction of the change."""
    planning.react(result.order.path_id, result.order.environment_id, now=moment(database_now()))


@shared_task
def drain(*, location: str) -> None:
    with watching_the_database("drain"):
        ring(database_now())
    drain_probes(location, react=react, is_stopping=is_stopping)


@shared_task
def ask_bursts(*, location: str) -> None:
    bursts.ask_due(location, is_stopping=is_stopping)


@shared_task
def deliver() -> None:
    with watching_the_database("deliver"):
        deliver_alerts(is_stopping=is_stopping)


@shared_task
def reconcile() -> None:
    now = timezone.now()
    with watching_the_database("reconcile"):
        planning.reconcile(now=now)
        suspect_again(now=now)
        noticing.notice(now=now)
        last_resort.tell_of_channels(now=now)


@shared_task
def say_alive() -> None:
    alive.say_alive(now=moment(database_now()))


@shared_task
def see_versions() -> None:
    versions.see_versions(now=timezone.now(), is_stopping=is_stopping)


@shared_task
def compare_changes() -> None:
    judging.advance(now=timezone.now(), differences=ABOVE, is_stopping=is_stopping)


@shared_task
def do_errands() -> None:
    errands.do_due(is_stopping=is_stopping)


@shared_task
def count_days() -> None:
    history.count_days(now=timezone.now())


@shared_task
def roll_up() -> None:
    history.roll_up(now=timezone.now())


@shared_task
def prune() -> None:
    now = timezone.now()
    history.prune(
        now=now,
        observations_days=settings.KEEP_OBSERVATIONS_DAYS,
        rollups_days=settings.KEEP_ROLLUPS_DAYS,
    )
    removing.purge(now=now)
    errands.prune(now=now)
    tries.prune(now=now)
    mailed_links.prune(now=now)
    tokens.prune(now=now)


@shared_task
def tell_weekly() -> None:
    weekly.tell(read=lambda teams, now: running_out(teams, now=now), now=timezone.now())


@shared_task
def mail_links() -> None:
    mailed_links.mail_asked_for(now=timezone.now())
