"""A backup holds the board as it was at one moment, and comes back whole or not at all."""

import gzip
import hashlib
import json
import stat
import threading
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from opsboard.alerts.models import Channel, Delivery, Message, Notice, Route, Silence
from opsboard.alerts.planning import reconcile
from opsboard.board.backup import CannotWriteError, back_up, one_moment
from opsboard.board.backup_file import BadBackupError
from opsboard.board.restore import Restored, restore
from opsboard.board.tables import kept_tables
from opsboard.board.versions import NotReadyError
from opsboard.incidents.models import Incident
from opsboard.people import joining
from opsboard.people.audit import Actor, Via, record
from opsboard.people.links import make_link
from opsboard.people.models import AuditEntry, SignInLink
from opsboard.probes.models import HourlyRollup, Observation, Probe, ServiceDay, Shift, microseconds
from opsboard.probes.rules import State
from opsboard.rollbacks.models import RollbackNote
from opsboard.services import secrets
from opsboard.services.built_in import watch_itself
from opsboard.services.models import CriticalPath, MaintenanceWindow, Rota, Service, Team, Variable
from tests.company import NOON, SECOND, a_path, a_probe, a_service, production
from tests.releases.changing import a_change, a_verdict, a_window, an_attempt

pytestmark = pytest.mark.django_db(transaction=True)

COMMAND = Actor(None, Via.COMMAND, who="manage.py restore")
LATER = NOON + timedelta(hours=2)


def say(_: str) -> None:
    pass


def observe(probe: Probe, at: datetime, **fields: Any) -> None:
    durations = ["total", "dns", "connect", "tls", "first_byte", "transfer", "lateness", "size"]
    values = dict.fromkeys(durations, 1_000) | {"kind": 0, "verdict": 0, "cache": 0}
    values |= {"is_wrong": False, "is_delayed": False} | fields
    Observation.objects.create(probe=probe, slot_at=microseconds(at), **values)


@pytest.fixture
def company() -> Probe:
    """A row of nearly every kind, with an incident that is open and an alert that waits."""
    person = joining.add("Edith Moe", "editor", password="correct horse battery")
    service = a_service("fares-api")
    service.team.members.add(person)
    service.depends_on.add(a_service("fares-db"))
    place = production(service)
    secret = Variable(environment=place, name="TOKEN", is_secret=True)
    secret.keep("très secret")
    secret.save()
    path = a_path(service, name="Prix d’une traversée ✓", headers=[["X", "“y”\u2028"]])
    path.environments.add(place)
    probe = a_probe(path, now=NOON)
    Probe.objects.filter(pk=probe.pk).update(
        state=State.FAILING, claim_id=7, leased_until=8, observed_at=microseconds(NOON)
    )
    for hours in (1, 30, 60):
        observe(probe, NOON - timedelta(hours=hours), status=200, reason="line\nline")
    left_out = {"probe", "hour_at", "times", "is_example"}
    names = {field.name for field in HourlyRollup._meta.concrete_fields} - left_out
    HourlyRollup.objects.create(
        probe=probe, hour_at=microseconds(NOON), times=b"\x00\xff{}", **dict.fromkeys(names, 3)
    )
    ServiceDay.objects.create(environment=place, day=NOON.date(), passing=9, worst=State.PASSING)
    note = RollbackNote.objects.create(service=service)
    note.write(
        title="Go back", use_when="", does_not_undo="", minutes=None, steps=[{"do": "x"}],
        reason="", by=person, now=NOON,
    )  # fmt: skip
    incident = Incident.objects.create(
        service=service, environment=place, title="It fails", opened_at=NOON
    )
    incident.paths.create(path=path, joined_at=NOON)
    channel = Channel(name="Everybody", kind=Channel.Kind.WEBHOOK)
    channel.keep(address="http://127.0.0.1:9/hook", signing_secret="of the tests")
    channel.save()
    message = Message.objects.create(
        channel=channel, made_at=NOON, attempts=3, next_attempt_at=1, claim_id=7, leased_until=8,
        content={"subject": "It fails", "text": "It fails", "alerts": []},
    )  # fmt: skip
    Delivery.objects.create(
        channel=channel, incident=incident, event="failing", created_at=NOON, wanted_at=1,
        message=message,
    )  # fmt: skip
    _who_hears(channel, incident, person)
    _measured(path)
    record(Actor(person, Via.PAGES, address="::1"), "added", "service", "fares-api", now=NOON)
    make_link(person, by=Actor(person, Via.PAGES), now=NOON)
    return probe


def _measured(path: CriticalPath) -> None:
    """A change in every state: judged, given up, and measured by a burst that is under way."""
    change = a_change(path.service, version="", goal=0.3)
    one = a_verdict(change, "regressed")
    one.acts.create(kind="cleared", at=NOON, what="prefix", pattern="fares:", count=12)
    collects = a_window(an_attempt(change, 2, leased_until=LATER, tries=1))
    collects.collected.create(at=1, latency=9, cache=1, db_calls=3)
    collects.bursts.create(
        location="default", wanted=60, asked=1, started_at=NOON, claim_id=7, leased_until=8
    )
    kept = a_window(an_attempt(a_change(path.service, withdrawn_at=NOON), given_up_at=NOON))
    kept.content, kept.beside, kept.sealed_at = zlib.compress(b"side,i"), b"\x00\xff", NOON
    kept.save()


def _who_hears(channel: Channel, incident: Incident, person: User) -> None:
    """A row of what alerts, windows, deploys and rotas are kept in."""
    service, place = incident.service, incident.environment
    route = Route.objects.create(name="By night", from_time=time(22), to_time=time(6, 30))
    route.channels.add(channel), route.escalate_to.add(channel)
    Silence.objects.create(service=service, reason="Moving", starts_at=NOON, ends_at=LATER)
    Notice.objects.create(
        kind="cert", key="c 7", text="It runs out", service=service, began_at=NOON
    )
    place.deploys.create(name="9ac41fe", at=NOON)
    rota = Rota.objects.create(team=service.team, starts_on=NOON.date(), hand_over_at=time(9))
    rota.turns.create(position=0, person=person)
    rota.covers.create(person=person, starts_at=NOON, ends_at=LATER)
    MaintenanceWindow.objects.create(
        name="Move", starts_on=NOON.date(), starts_at=time(2), minutes=30, planned_at=NOON
    )


@pytest.fixture
def backup(company: Probe, tmp_path: Path) -> Path:
    file = tmp_path / "board.gz"
    back_up(file, now=NOON, replaces=False, say=say)
    return file


@pytest.fixture
def emptied(backup: Path) -> Path:
    call_command("flush", interactive=False, verbosity=0)
    return backup


def restored(file: Path, *, now: datetime = LATER) -> Restored:
    with file.open("rb") as opened:
        return restore(opened, actor=COMMAND, now=now, say=say)


def everything() -> dict[str, list[str]]:
    return {table.name: sorted(map(repr, table.rows(100))) for table in kept_tables()}


def nothing_is_stored() -> bool:
    return not any(table.count() for table in kept_tables())


def rewritten(file: Path, change: Callable[[list[Any]], None]) -> Path:
    """A backup whose lines somebody has changed, with a digest that is right again."""
    lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()][:-1]
    change(lines)
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    trailer = json.dumps({"end": True, "sha256": hashlib.sha256(body).hexdigest()})
    file.write_bytes(gzip.compress(body + trailer.encode() + b"\n"))
    return file


def rows_of(lines: list[Any], table: str) -> tuple[list[str], list[list[Any]]]:
    at = next(n for n, x in enumerate(lines) if isinstance(x, dict) and x.get("table") == table)
    rows = []
    for line in lines[at + 1 :]:
        if isinstance(line, dict):
            break
        rows.append(line)
    return lines[at]["columns"], rows


def setting(table: str, column: str, value: object) -> Callable[[list[Any]], None]:
    def change(lines: list[Any]) -> None:
        columns, rows = rows_of(lines, table)
        rows[0][columns.index(column)] = value

    return change


# What comes back ---------------------------------------------------------------------------


def test_every_row_comes_back_as_it_was(company, tmp_path):
    Message.objects.update(attempts=1, delivered_at=NOON)
    before = everything()
    back_up(tmp_path / "board.gz", now=NOON, replaces=False, say=say)
    call_command("flush", interactive=False, verbosity=0)
    restored(tmp_path / "board.gz")
    after = everything()
    after["people_auditentry"].remove(next(x for x in after["people_auditentry"] if "restore" in x))
    assert after == before


def test_secrets_open_with_the_same_keys(emptied):
    assert restored(emptied).locked == 0
    assert Variable.objects.get().reveal() == "très secret"
    assert Channel.objects.get().reveal_address() == "http://127.0.0.1:9/hook"


def test_no_secret_stands_in_the_file(backup):
    text = gzip.decompress(backup.read_bytes()).decode()
    assert "très secret" not in text and "127.0.0.1:9/hook" not in text


def test_secrets_without_their_key_are_counted(emptied, settings):
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    secrets._fernet.cache_clear()
    try:
        assert restored(emptied).locked == 3
    finally:
        secrets._fernet.cache_clear()


def test_new_rows_get_numbers_after_the_restored_ones(emptied):
    restored(emptied)
    newest = max(Service.objects.values_list("pk", flat=True))
    assert a_service().pk > newest
    assert Team.members.through.objects.get().pk < _another_membership()


def _another_membership() -> int:
    Team.objects.get().members.add(User.objects.create(username="Somebody"))
    return Team.members.through.objects.latest("pk").pk


def test_leases_and_ways_in_do_not_come_back(emptied):
    restored(emptied)
    probe = Probe.objects.get(path__service__slug="fares-api")
    assert probe.claim_id is None and probe.leased_until is None
    assert not SignInLink.objects.exists()


def test_the_restore_is_in_the_audit_log(emptied):
    restored(emptied)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.who, entry.act, entry.at) == ("manage.py restore", "restored", LATER)


def test_observations_lie_in_partitions_of_their_days(emptied):
    restored(emptied)
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no partitions")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM probes_observation_rest")
        assert cursor.fetchone() == (0,)


# Alerts ------------------------------------------------------------------------------------


def test_an_alert_that_waited_is_not_sent_and_says_why(emptied):
    assert restored(emptied).not_sent == 1
    delivery = Delivery.objects.get()
    assert not Delivery.objects.waiting().exists()
    assert (delivery.outcome(), delivery.held_by) == ("held", "past")
    assert delivery.reason.startswith("It was still waiting in the backup of 23 Nov")
    assert not Message.objects.exists()


def test_what_still_fails_after_a_restore_is_told_and_once(emptied):
    restored(emptied)
    reconcile(now=LATER)
    assert not Delivery.objects.waiting().exists()
    Probe.objects.update(observed_at=microseconds(LATER + timedelta(minutes=1)))
    for minutes in (1, 2):
        reconcile(now=LATER + timedelta(minutes=minutes))
    assert Delivery.objects.waiting().get().event == "failing"


def test_what_was_delivered_or_given_up_before_the_backup_stays_so(company, tmp_path):
    Message.objects.update(dead_at=NOON, last_error="The receiver answered 410.")
    back_up(tmp_path / "board.gz", now=NOON, replaces=False, say=say)
    call_command("flush", interactive=False, verbosity=0)
    assert restored(tmp_path / "board.gz").not_sent == 0
    assert Delivery.objects.get().outcome() == "given up"


# One moment --------------------------------------------------------------------------------


def test_writers_go_on_while_a_backup_is_taken_and_are_not_in_it(company):
    added = threading.Event()

    def add_a_team() -> None:
        Team.objects.create(slug="meanwhile", name="Meanwhile")
        connection.close()
        added.set()

    with one_moment():
        before = Team.objects.count()
        writer = threading.Thread(target=add_a_team)
        writer.start()
        assert added.wait(5)
        assert Team.objects.count() == before
    writer.join()
    assert Team.objects.filter(slug="meanwhile").exists()


# The file ----------------------------------------------------------------------------------


def test_the_file_is_for_its_owner_only(backup):
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert [file.name for file in backup.parent.iterdir()] == ["board.gz"]


def test_a_file_that_is_there_is_not_replaced_unasked(backup):
    before = backup.read_bytes()
    with pytest.raises(CannotWriteError, match=r"is already there.*--force"):
        back_up(backup, now=LATER, replaces=False, say=say)
    assert backup.read_bytes() == before
    back_up(backup, now=LATER, replaces=True, say=say)
    assert backup.read_bytes() != before


def test_what_a_killed_backup_left_is_written_over(company, tmp_path):
    (tmp_path / ".board.gz.partial").write_bytes(b"half" * 10_000)
    back_up(tmp_path / "board.gz", now=NOON, replaces=False, say=say)
    assert [file.name for file in tmp_path.iterdir()] == ["board.gz"]


def test_a_folder_that_cannot_be_written_is_said_in_one_sentence(company, tmp_path):
    with pytest.raises(CannotWriteError, match=r"cannot be written: No such file or directory\."):
        back_up(tmp_path / "nowhere" / "board.gz", now=NOON, replaces=False, say=say)


# What is refused ---------------------------------------------------------------------------


def test_a_board_that_is_in_use_is_not_restored_into(backup):
    before = everything()
    with pytest.raises(NotReadyError, match="The database is not empty, it has services"):
        restored(backup)
    assert everything() == before


def test_a_board_that_only_watches_itself_is_empty(emptied):
    built_in = watch_itself()
    assert built_in is not None
    a_probe(built_in.paths.first())
    restored(emptied)
    assert not Service.objects.filter(is_built_in=True).exists()
    assert Service.objects.count() == 2


def test_a_board_that_runs_is_not_restored_into(emptied):
    at = microseconds(datetime.now(UTC)) - SECOND
    Shift.objects.create(duty="bell", instance="beat", began_at=at, claimed_at=at)
    with pytest.raises(NotReadyError, match="A board runs on this database"):
        restored(emptied)
    Shift.objects.update(claimed_at=at - 60 * SECOND)
    restored(emptied)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_stores_nothing(emptied, part):
    whole = emptied.read_bytes()
    emptied.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(
        BadBackupError, match=r"^(The backup is (cut off|damaged)|This is not).*\.$"
    ):
        restored(emptied)
    assert nothing_is_stored()


def test_a_file_with_one_wrong_byte_stores_nothing_or_is_whole(emptied):
    whole = emptied.read_bytes()
    for at in range(20, len(whole), 97):
        emptied.write_bytes(whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :])
        with pytest.raises(BadBackupError):
            restored(emptied)
    assert nothing_is_stored()


def test_a_file_whose_content_was_changed_is_told_by_its_digest(emptied):
    body = gzip.decompress(emptied.read_bytes())
    emptied.write_bytes(gzip.compress(body.replace(b"#pricing-on-call", b"#pricing-at-night", 1)))
    with pytest.raises(BadBackupError, match="SHA-256 is not that of its content"):
        restored(emptied)
    assert nothing_is_stored()


def test_something_after_the_end_is_refused(emptied):
    body = gzip.decompress(emptied.read_bytes())
    emptied.write_bytes(gzip.compress(body + b"[1]\n"))
    with pytest.raises(BadBackupError, match="something stands after its end"):
        restored(emptied)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        gzip.compress(b"", mtime=0),
        gzip.compress(b"hello\n", mtime=0),
        gzip.compress(b'{"a": 1}\n', mtime=0),
        gzip.compress(b"[" * 100_000 + b"\n", mtime=0),
        gzip.compress(b"9" * 10_000 + b"\n", mtime=0),
        gzip.compress(b"\xff\xfe\n", mtime=0),
        gzip.compress(b" " * (64 << 20), mtime=0),
        gzip.compress((b"0" * 999 + b"\n") * (32 << 10), mtime=0),
    ],
)
def test_a_file_that_is_no_backup_is_said_to_be_none(tmp_path, content):
    (tmp_path / "foreign").write_bytes(content)
    with pytest.raises(BadBackupError, match=r"^(This is not a backup|The backup is cut off).*\.$"):
        restored(tmp_path / "foreign")


def test_a_bomb_of_good_lines_is_refused_before_anything_is_stored(emptied):
    def many(lines: list[Any]) -> None:
        lines[0]["counts"]["services_team"] = 10**6
        at = next(n for n, x in enumerate(lines) if x == _begin(lines, "services_team"))
        lines[at + 1 : at + 2] = [lines[at + 1]] * 10**5

    with pytest.raises(BadBackupError, match="it unpacks to far more than any of ours"):
        restored(rewritten(emptied, many))
    assert nothing_is_stored()


def _begin(lines: list[Any], table: str) -> Any:
    return next(x for x in lines if isinstance(x, dict) and x.get("table") == table)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("services_service", "tier", "1"),
        ("services_service", "tier", 1.0),
        ("services_service", "tier", True),
        ("services_service", "tier", 9),
        ("services_service", "id", 10**30),
        ("services_service", "name", None),
        ("services_service", "name", 5),
        ("services_service", "name", "x" * 121),
        ("services_service", "name", "a\0b"),
        ("services_service", "name", "\ud800"),
        ("services_service", "links", ["a\0b"]),
        ("services_service", "is_built_in", 1),
        ("services_service", "team_id", 987_654),
        ("services_service", "slug", "fares-db"),
        ("changes_change", "goal", "0.3"),
        ("changes_change", "goal", True),
        ("incidents_incident", "opened_at", "yesterday"),
        ("incidents_incident", "opened_at", "2026-11-23T12:00:00"),
        ("incidents_incident", "opened_at", 5),
        ("alerts_message", "key", "not-a-uuid"),
        ("alerts_message", "content", None),
        ("alerts_delivery", "message_id", 987_654),
        ("alerts_route", "from_time", "25:00"),
        ("alerts_route", "from_time", 22),
        ("people_auditentry", "address", "here"),
        ("people_role", "name", "emperor"),
        ("probes_hourlyrollup", "times", "%%%"),
        ("probes_observation", "slot_at", -1),
        ("probes_observation", "slot_at", 2**63 - 1),
        ("probes_observation", "total", 2**31),
        ("probes_probe", "interval", 0),
        ("probes_serviceday", "day", "2026-13-01"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_nothing_is_stored(emptied, table, column, value):
    with pytest.raises(BadBackupError, match=r"^The backup is damaged: .*\.$"):
        restored(rewritten(emptied, setting(table, column, value)))
    assert nothing_is_stored()


def _add_a_table(lines: list[Any]) -> None:
    lines[0]["counts"]["django_session"] = 0
    lines.append({"table": "django_session", "columns": []})


def _add_a_column(lines: list[Any]) -> None:
    _begin(lines, "services_team")["columns"].append("is_royal")


def _shorten_a_row(lines: list[Any]) -> None:
    rows_of(lines, "services_team")[1][0].pop()


def _drop_a_row(lines: list[Any]) -> None:
    lines.remove(rows_of(lines, "services_team")[1][0])


def _drop_a_table(lines: list[Any]) -> None:
    lines[0]["counts"].pop("services_variable")
    at = lines.index(_begin(lines, "services_variable"))
    del lines[at : at + 2]


def _say_a_table_twice(lines: list[Any]) -> None:
    lines.append(_begin(lines, "services_team"))


@pytest.mark.parametrize(
    "change",
    [_add_a_table, _add_a_column, _shorten_a_row, _drop_a_row, _drop_a_table, _say_a_table_twice],
)
def test_other_tables_columns_and_counts_are_refused(emptied, change):
    with pytest.raises(BadBackupError, match=r"^The backup is damaged: .*\.$"):
        restored(rewritten(emptied, change))
    assert nothing_is_stored()


def test_another_versions_file_says_what_to_install(emptied):
    def newer(lines: list[Any]) -> None:
        lines[0]["version"] = "9.1.0"
        lines[0]["migrations"].append("services.9999_from_the_future")

    with pytest.raises(
        BadBackupError, match=r"a newer Opsboard, 9\.1\.0.*with Opsboard 9\.1\.0\.$"
    ):
        restored(rewritten(emptied, newer))

    def older(lines: list[Any]) -> None:
        lines[0]["version"] = "0.0.9"
        lines[0]["migrations"] = lines[0]["migrations"][:-2]

    with pytest.raises(
        BadBackupError, match=r"an older Opsboard, 0\.0\.9.*update it afterwards\.$"
    ):
        restored(rewritten(emptied, older))
    assert nothing_is_stored()


def test_a_form_of_the_future_says_what_to_install(emptied):
    def form(lines: list[Any]) -> None:
        lines[0] |= {"format": 2, "version": "9.1.0"}

    with pytest.raises(BadBackupError, match=r"install Opsboard 9\.1\.0, which wrote it\.$"):
        restored(rewritten(emptied, form))
