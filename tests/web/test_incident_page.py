"""The page of an incident: the way back first, then what hurts, who notices, who was told."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from opsboard.alerts.models import Channel, Delivery, Message
from opsboard.incidents.models import Incident, TimelineEntry
from opsboard.probes.rules import State, Verdict
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import CriticalPath, Rota, Service
from opsboard.web.incident_timeline import entry_words
from tests.web.standing import a_path, a_service, observed, stands, text_of

MOST_QUERIES = 24


def moment() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def fares(db: None) -> Service:
    return a_service("fares-api")


@pytest.fixture
def price(fares: Service) -> CriticalPath:
    return a_path(fares)


@pytest.fixture
def incident(price: CriticalPath) -> Incident:
    """Open for 23 minutes."""
    opened = datetime.now(UTC) - timedelta(minutes=23)
    made = Incident.objects.create(
        service=price.service,
        environment=price.service.environments.get(),
        title="Price a crossing is failing",
        opened_at=opened,
    )
    made.paths.create(path=price, joined_at=opened, reason="status is 503, expected 200")
    made.timeline.create(
        at=opened, act=TimelineEntry.Act.OPENED, path=price, text="status is 503, expected 200"
    )
    return made


@pytest.fixture
def read(client_of, incident):
    return lambda role="viewer": client_of(role).get(f"/incidents/{incident.pk}").text


def write_note(service: Service, title: str, path: CriticalPath | None = None) -> None:
    note = RollbackNote.objects.create(service=service, path=path)
    note.write(
        title=title, use_when="Prices fail", does_not_undo="Fares changed by hand", minutes=4,
        steps=[{"do": "Go back", "run": "ferryctl deploy --to 2026.11.2", "see": "6 healthy",
                "call": "Mirela Dobre"}],
        reason="", by=None, now=moment(),
    )  # fmt: skip


def told(incident: Incident, name: str, **of_message: object) -> Delivery:
    channel = Channel(name=name, kind=Channel.Kind.EMAIL)
    channel.keep(address="secret@skerry.example")
    channel.save()
    message = Message.objects.create(
        channel=channel, content={}, made_at=incident.opened_at, next_attempt_at=0, **of_message
    )
    return Delivery.objects.create(
        channel=channel, incident=incident, event=Delivery.Event.FAILING, message=message,
        created_at=incident.opened_at, wanted_at=0,
    )  # fmt: skip


def test_the_rollback_note_comes_first_with_its_steps(incident, fares, read):
    write_note(fares, "Go back one release")
    page = read()
    note = text_of(page.partition('id="note"')[2].partition("</section>")[0])
    assert "Rollback note: Go back one release" in note
    assert "Use it when Prices fail" in note
    assert "It does not undo Fares changed by hand" in note
    assert "Go back ferryctl deploy --to 2026.11.2Copy command of step 1" in note
    assert "You should see: 6 healthy" in note
    assert "If it fails, call: Mirela Dobre" in note
    assert page.index('id="note"') < page.index("What happened")


def test_without_a_note_the_page_says_so_first(incident, read):
    assert "No rollback note yet" in read()
    assert "Write one" in read("editor")
    assert "Write one" not in read()


def test_the_notes_of_several_paths_are_in_the_order_of_the_first_failure(
    incident, fares, price, read
):
    hold = a_path(fares, "Hold a fare")
    incident.paths.create(path=hold, joined_at=datetime.now(UTC))
    write_note(fares, "Go back one release")
    write_note(fares, "Empty the holds", hold)
    titles = re.findall(r"Rollback note: ([^<]+)</h2>", read())
    assert titles == ["Go back one release", "Empty the holds"]


def test_whether_the_note_may_be_trusted_stands_above_its_steps(incident, fares, read):
    write_note(fares, "Go back one release")
    note = text_of(read().partition('id="note"')[2].partition("</section>")[0])
    assert "Not reviewed yet" in note
    assert "Never rehearsed" in note


@pytest.fixture
def below(incident) -> Incident:
    """The incident of a service that fares-api depends on, open since before."""
    database = a_service("fares-db")
    path = a_path(database, "Answer a query")
    opened = incident.opened_at - timedelta(minutes=1)
    made = Incident.objects.create(
        service=database,
        environment=database.environments.get(),
        title="Answer a query is failing",
        opened_at=opened,
    )
    made.paths.create(path=path, joined_at=opened)
    write_note(database, "Fail over to the standby")
    incident.below = made
    incident.save()
    return made


def test_the_way_back_of_a_service_below_comes_first(incident, below, fares, read):
    write_note(fares, "Go back one release")
    page = read("editor")
    said = text_of(page)
    assert f"fares-db below has {below}" in said
    assert "its way back comes first" in said
    assert "Rollback note: Fail over to the standby" in said
    assert "Go back one release" not in said
    assert f'href="/incidents/{below.pk}"' in page
    assert "Start rollback" not in said


def test_the_incident_below_says_who_waits_for_it(incident, below, client_of):
    page = text_of(client_of("editor").get(f"/incidents/{below.pk}").text)
    assert f"Waiting for this one: {incident} of fares-api." in page
    assert "Start rollback" in page


def test_of_many_that_wait_ten_are_named(below, client_of):
    for number in range(13):
        service = a_service(f"shop-{number}")
        Incident.objects.create(
            service=service, environment=service.environments.get(), title="Slow",
            opened_at=moment(), below=below,
        )  # fmt: skip
    assert "and 4 more." in text_of(client_of("viewer").get(f"/incidents/{below.pk}").text)


def test_once_the_one_below_has_ended_the_own_note_is_offered(incident, below, fares, read):
    write_note(fares, "Go back one release")
    below.resolved_at = datetime.now(UTC)
    below.save()
    said = text_of(read("editor"))
    assert "Rollback note: Go back one release" in said
    assert "comes first" not in said


def test_the_board_offers_the_way_back_of_the_service_below(incident, below, price, client_of):
    stands(price, State.FAILING)
    board = client_of("viewer").get("/").text
    said = text_of(board)
    assert f"fares-db below has {below}: its way back comes first." in said
    assert "Open rollback note: Fail over to the standby" in said
    assert 'href="/services/fares-db/rollback-note"' in board


def test_an_incident_that_waits_for_itself_is_read_all_the_same(incident, below, read):
    below.below = incident
    below.save()
    assert "its way back comes first" in text_of(read())


CAUSE = {
    "sentence": "Release 2026.11.3, 3 min before the first failure",
    "deploy": {"name": "2026.11.3", "url": "https://ci.example/3", "at": "", "kind": "release"},
    "moved": ["median 232 ms before, 2.61 s after"],
}


def test_the_likely_cause_says_what_was_released_and_what_moved(incident, fares, read):
    write_note(fares, "Go back one release")
    assert "Likely cause Not computed yet." in text_of(read())
    incident.cause = CAUSE
    incident.save()
    page = read()
    assert "Release 2026.11.3, 3 min before the first failure." in text_of(page)
    assert "Median 232 ms before, 2.61 s after." in text_of(page)
    assert 'href="https://ci.example/3"' in page
    assert "Nothing was released" not in page


def test_what_was_released_before_it_has_its_place_in_what_happened(incident, read):
    before = incident.opened_at - timedelta(minutes=3)
    url = "/releases/fares-api/2026.11.3"
    known = {"name": "2026.11.3", "kind": "Release", "service": "fares-api", "url": url}
    incident.cause = CAUSE | {"deploy": known | {"at": before.isoformat()}}
    incident.save()
    happened = read().partition('id="up-h"')[2].partition("</section>")[0]
    words = text_of(happened)
    assert "Release 2026.11.3 of fares-api began to run. Read about it" in words
    assert words.index("is failing") < words.index("began to run")
    assert f'<a href="{url}"' in happened


def test_with_nothing_released_the_note_says_that_it_may_not_help(incident, fares, read):
    write_note(fares, "Go back one release")
    incident.cause = {"sentence": "Nothing was released in 24 h", "deploy": None, "moved": []}
    incident.save()
    note = text_of(read().partition('id="note"')[2].partition("</section>")[0])
    assert "Nothing was released in 24 h; going back may not help" in note


@pytest.mark.parametrize(
    ("act", "fields", "said"),
    [
        ("joined", {"text": "status is 500"}, "Price a crossing is failing too. Status is 500."),
        ("left", {}, "Price a crossing is not failing any more."),
        ("alerted", {"path": None, "text": "Pricing on call: failing"}, "Alert sent to Pricing on"),
        (
            "reminded",
            {"path": None, "text": "Pricing"},
            "Nobody had acknowledged: reminded Pricing.",
        ),
        ("escalated", {"path": None, "text": "Platform"}, "told Platform as well."),
        (
            "linked",
            {"path": None, "text": "INC-0411 of fares-db: Slow"},
            "Linked to INC-0411 of far",
        ),
        ("unlinked", {"path": None, "text": "INC-0411"}, "Not linked to INC-0411 any more"),
        ("reopened", {}, "Open again: Price a crossing is failing."),
        ("resolved", {"path": None}, "Resolved: no path fails any more."),
        ("acknowledged", {"by_name": "Ingrid", "path": None}, "Ingrid acknowledged, and has it"),
        ("noted", {"by_name": "Ingrid", "text": "It is *me*"}, "Ingrid: It is me"),
        ("afterword", {"by_name": "Ingrid"}, "Ingrid wrote the afterword."),
        ("started", {"by_name": "Ingrid"}, "Ingrid started the rollback."),
        ("done", {"by_name": "Ingrid", "facts": {"step": 2}}, "Ingrid marked step 2 of the rollb"),
        ("undone", {"by_name": "Ingrid", "facts": {"step": 2}}, "step 2 of the rollback as not d"),
    ],
)
def test_every_act_has_its_words(incident, price, read, act, fields, said):
    if act not in {"started", "done", "undone"}:
        entry = {"at": datetime.now(UTC), "act": act, "path": price} | fields
        incident.timeline.create(**entry)
        assert said in text_of(read().partition('id="up-h"')[2])
        return
    entry = TimelineEntry(incident=incident, at=datetime.now(UTC), act=act, **fields)
    assert said in entry_words(entry).text


def test_what_is_linked_can_be_opened_from_what_happened(incident, below, read):
    incident.timeline.create(at=moment(), act="linked", text="it", facts={"incident": below.pk})
    happened = read().partition('id="up-h"')[2]
    assert f'<a href="/incidents/{below.pk}">Open it</a>' in happened


def test_a_commit_that_is_shortened_is_linked_all_the_same(incident, read):
    commit, url = "0123456789abcdef0123456789abcdef01234567", "https://ci.example/3"
    incident.cause = {"sentence": "Deploy 0123456 of fares-api, 3 min before the first failure."}
    incident.cause |= {"deploy": {"name": commit, "url": url, "at": "", "kind": "Deploy"}}
    incident.save()
    assert f'<a href="{url}" rel="noopener noreferrer">0123456</a> of fares-api' in read()


def test_no_act_is_without_words(incident):
    for act in TimelineEntry.Act:
        entry = TimelineEntry(incident=incident, at=datetime.now(UTC), act=act)
        assert entry_words(entry).text.endswith((".", ":"))


def test_of_a_long_story_the_newest_200_are_shown(incident, read):
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            incident=incident, at=moment() - timedelta(hours=1, seconds=number), act="noted",
            by_name="Ingrid", text=f"Number {number}",
        )
        for number in range(210)
    )  # fmt: skip
    page = read()
    assert "11 older entries are not shown." in text_of(page)
    assert "Number 198" in page
    assert "Number 199" not in page


def test_how_long_it_has_been_open_and_who_has_it(incident, read, editor):
    page = text_of(read())
    assert re.search(r"Open for 23 min, since (\w+ )?\d\d:\d\d\. fares-api in production\.", page)
    assert "Nobody has it yet." in page
    incident.acknowledge(by=editor, now=datetime.now(UTC))
    assert "Edith Moe has it, since" in text_of(read())


def test_before_the_rollback_is_started_no_step_can_be_marked_and_it_says_why(
    incident, fares, read
):
    write_note(fares, "Go back one release")
    note = read("editor").partition('id="note"')[2].partition("</section>")[0]
    mark = re.search(r"<button[^>]*>Mark done", note)
    assert mark
    assert 'type="button" aria-disabled="true"' in mark[0]
    reason = re.search(r'aria-describedby="([^"]+)"', mark[0])
    assert reason
    assert f'id="{reason[1]}">Says that you go back and starts the clock; then each step' in note
    assert "Mark done" not in read()


def test_the_numbers_say_how_many_probes_they_are_of(incident, price, read):
    probe = stands(price, State.FAILING)
    observed(probe, [60] * 30, minutes_ago=30)
    observed(probe, [2_800] * 40, minutes_ago=0.2)
    assert "Of 30 probes before and 40 now." in text_of(read())


def test_while_nobody_has_it_who_is_on_duty_is_named(incident, read, fares, viewer, editor):
    began = datetime.now(UTC).date() - timedelta(days=1)
    rota = Rota.objects.create(team=fares.team, starts_on=began, hand_over_at="00:00")
    rota.turns.create(position=0, person=viewer)
    assert "Nobody has it yet. On duty: Vera Lind." in text_of(read())
    incident.acknowledge(by=editor, now=datetime.now(UTC))
    assert "On duty" not in read()


def test_who_notices_what(incident, read):
    page = text_of(read().partition('id="w-h"')[2])
    assert "Step 2 of booking stays empty" in page
    assert "Status is 503, expected 200." in page


def test_numbers_before_and_now_against_the_sheet(incident, price, read):
    probe = stands(price, State.FAILING)
    observed(probe, [214] * 30, minutes_ago=30)
    observed(probe, [2_840] * 30, db_calls=148)
    observed(probe, [9_000] * 10, minutes_ago=8, is_wrong=True, verdict=Verdict.FAILING)
    page = text_of(read().partition('id="n-h"')[2])
    assert "p95 214 ms 2.84 s under 400 ms" in page
    assert "Errors 0% 25% under 10 %" in page
    assert "DB calls not reported 148 no limit" in page


def test_what_happened_is_told_newest_first(incident, price, read, editor):
    incident.acknowledge(by=editor, now=datetime.now(UTC))
    page = text_of(read().partition('id="up-h"')[2])
    assert page.index("Edith Moe acknowledged") < page.index("Price a crossing is failing.")


def test_who_was_told_and_whether_it_arrived(incident, read):
    assert "Nobody was told. No alert channel hears about it, and" in text_of(read())
    told(incident, "Pricing on call", delivered_at=incident.opened_at + timedelta(seconds=4))
    told(incident, "Duty desk", attempts=3, last_error="secret@skerry.example refused")
    page = read()
    assert "Failing: the message to Pricing on call Pricing on call Delivered in 4 s" in text_of(
        page
    )
    assert "Failing: the message to Duty desk Duty desk Trying again after 3 tries" in text_of(page)
    assert "secret@skerry.example" not in page


def test_what_was_held_back_says_why(incident, read):
    held = told(incident, "Pricing on call")
    held.message, held.held_at = None, moment()
    held.held_by, held.reason = Delivery.HeldBy.SILENCE, "Edith Moe silenced fares-api until 15:00"
    held.save()
    assert "Failing Pricing on call Silenced Edith Moe silenced fares-api until 15:00." in text_of(
        read()
    )


def test_who_acknowledged_by_a_link_is_named(incident, read, client_of):
    incident.acknowledged_at, incident.acknowledged_as = moment(), "Somebody at Pricing on call"
    incident.save()
    assert "Somebody at Pricing on call has it, since" in text_of(read())
    listed = text_of(client_of("viewer").get("/incidents").text)
    assert "open, 23 min Somebody at Pricing on call" in listed


def test_the_page_asks_the_database_no_more_for_more_of_everything(
    incident, fares, price, client_of, django_assert_max_num_queries
):
    write_note(fares, "Go back one release")
    stands(price, State.FAILING)
    Rota.objects.create(team=fares.team, starts_on=moment().date(), hand_over_at="00:00")
    for number in range(12):
        other = a_path(fares, f"Path {number}")
        incident.paths.create(path=other, joined_at=moment())
        write_note(fares, f"Way {number}", other)
        told(incident, f"Channel {number}")
        incident.timeline.create(at=moment(), act="joined", path=other)
    client = client_of("editor")
    with django_assert_max_num_queries(MOST_QUERIES):
        client.get(f"/incidents/{incident.pk}")


def test_the_first_to_acknowledge_has_it(incident, client_of, editor, administrator):
    client_of("editor").post(f"/incidents/{incident.pk}/acknowledgement")
    client_of("administrator").post(f"/incidents/{incident.pk}/acknowledgement")
    incident.refresh_from_db()
    assert incident.acknowledged_by == editor


def test_only_an_editor_may_acknowledge_and_only_once(incident, read, editor):
    assert f"Acknowledge {incident}" in text_of(read("editor"))
    assert f"Acknowledge {incident}" not in text_of(read())
    incident.acknowledge(by=editor, now=datetime.now(UTC))
    assert f"Acknowledge {incident}" not in text_of(read("editor"))


def test_a_resolved_incident_says_how_long_it_lasted(incident, price, read):
    observed(stands(price), [2_000] * 30, minutes_ago=14)
    ended = incident.opened_at + timedelta(minutes=9)
    incident.resolved_at = ended
    incident.save()
    incident.paths.update(left_at=ended)
    page = text_of(read())
    assert "fares-api has recovered" in page
    assert "after 9 min. Began" in page
    assert "Price a crossing is failing. fares-api in production." in page
    assert "Nobody acknowledged it." in page
    assert "While it lasted" in page


def test_a_path_that_was_removed_is_named_without_a_link(incident, price, read):
    price.removed_at = datetime.now(UTC)
    price.save()
    page = read()
    assert "Price a crossing, removed since" in page
    assert 'href="/services/fares-api/price-a-crossing' not in page


def test_what_far_sides_wrote_is_never_markup(incident, read):
    incident.timeline.create(at=moment(), act="opened", text="<script>alert(1)</script>")
    assert "<script>alert(1)" not in read()


def test_an_unknown_number_is_not_found(client_of, db):
    assert client_of("viewer").get("/incidents/412").status_code == 404


def test_a_poll_gets_the_part_alone(client_of, incident):
    address = f"/incidents/{incident.pk}"
    part = client_of("editor").get(address, headers={"HX-Request": "true"})
    assert part.text.strip().startswith('<div id="incident"')
    assert f"Acknowledge {incident}" in text_of(part.text)


def test_the_list_has_open_ones_first_and_says_how_long(client_of, incident, fares, price):
    opened = moment() - timedelta(days=3)
    ended = Incident.objects.create(
        service=fares, environment=incident.environment, title="Old", opened_at=opened,
        resolved_at=opened + timedelta(minutes=48),
    )  # fmt: skip
    ended.paths.create(path=price, joined_at=opened)
    page = text_of(client_of("viewer").get("/incidents").text)
    assert "1 incident is open" in page
    assert page.index(str(incident)) < page.index(str(ended))
    assert "open, 23 min" in page
    assert "48 min nobody" in page


def test_the_list_says_which_were_opened_by_hand_and_which_are_linked(
    client_of, incident, below, fares
):
    incident.is_by_hand, incident.openings = True, 3
    incident.save()
    page = text_of(client_of("viewer").get("/incidents").text)
    assert "Price a crossing is failing opened by hand began 3 times" in page
    assert f"linked to {below} below" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("service=fares-api", ["fares-api"]),
        ("service=fares-db", ["fares-db"]),
        ("team=pricing", ["fares-api", "fares-db"]),
        ("team=nobody", []),
        ("mine=yes", []),
        ("team=pricing&service=fares-db", ["fares-db"]),
    ],
)
def test_the_list_is_filtered(client_of, incident, below, query, shown):
    page = client_of("viewer").get(f"/incidents?{query}")
    assert sorted(one.service.slug for one in page.context["open"]) == shown
    assert "Show everything" in page.text


def test_only_mine_are_those_of_my_teams(client_of, incident, fares, viewer):
    fares.team.members.add(viewer)
    page = client_of("viewer").get("/incidents?mine=yes")
    assert page.context["open"] == [incident]
    assert [(tab.words, tab.count, tab.is_chosen) for tab in page.context["tabs"]] == [
        ("Mine", 1, True),
        ("All", 1, False),
    ]


def test_whose_incidents_are_links_that_keep_the_other_filters(client_of, below, fares, viewer):
    fares.team.members.add(viewer)
    page = client_of("viewer").get("/incidents?service=fares-db")
    assert [(tab.url, tab.count) for tab in page.context["tabs"]] == [
        ("?service=fares-db&mine=yes", 1),
        ("?service=fares-db", 1),
    ]


def test_a_filter_that_finds_none_does_not_say_that_nothing_hurts(client_of, incident):
    page = text_of(client_of("viewer").get("/incidents?team=nobody").text)
    assert "1 incident is open" in page
    assert "None like this is open." in page
    assert "No incident is open" not in page


def test_no_incident_at_all_says_so(client_of, db):
    page = client_of("viewer").get("/incidents").text
    assert "No incident is open" in page
    assert "No incident has ended yet." in page
