"""What an alert says: the way back first, expected and got, who notices, who has it, and links."""

from dataclasses import replace

import pytest

from opsboard.alerts import letters
from opsboard.alerts.composing import letter_of_many, letter_of_one, letter_of_some
from opsboard.alerts.news import Below, FailingPath, Item, News, Remark
from opsboard.alerts.renderings import plain
from opsboard.alerts.rules import next_attempt
from opsboard.alerts.subjects import filled, subject_of, unknown_names, values_for

PATH = FailingPath(
    name="Price a crossing",
    route="POST https://fares.internal/v2/quotes",
    reason="status is 503, expected 200",
    clauses=(("status == 200", "503"),),
    user_notices="Booking, step 2 of 4: the price stays empty",
    owner="Pricing (#pricing-on-call)",
    url="https://ops.internal/services/fares-api/price-a-crossing",
)
NOTE = {
    "title": "Go back to the previous release",
    "use_when": "Prices are wrong after a release",
    "does_not_undo": "Bookings already made",
    "minutes": 4,
    "steps": [
        {"do": "Hold new releases", "run": "fares hold", "see": "held", "call": "Ingrid"},
        {"do": "Deploy the previous release", "run": "", "see": "", "call": ""},
    ],
    "version": 6,
    "url": "https://ops.internal/services/fares-api/rollback-note",
}
NEWS = News(
    events=("failing",),
    incident="INC-0412",
    incident_url="https://ops.internal/incidents/412",
    acknowledge_url="https://ops.internal/acknowledge/412-1.x.y",
    title="Price a crossing",
    service="fares-api",
    environment="production",
    team="Pricing",
    tier=1,
    opened="14:09 UTC on 17 November 2026",
    lasted="2 min",
    paths=(PATH,),
    note=NOTE,
    cause="Release 2026.11.3 was deployed 3 min before.",
    moved=("database calls 4 to 41",),
    on_duty="Ingrid Solheim",
)
URL = "https://ops.internal/alerts/messages/1"


def text_of(item: Item) -> str:
    return plain.render(letter_of_one(item))


@pytest.mark.parametrize(
    "words",
    [
        "is failing: expected status == 200, got 503.",
        "Where the user notices: Booking, step 2 of 4: the price stays empty",
        "Owner: Pricing (#pricing-on-call)",
        "The way back: Go back to the previous release",
        "1. Hold new releases",
        "Run: fares hold",
        "You should see: held",
        "If it fails, call: Ingrid",
        "2. Deploy the previous release",
        "It does not undo: Bookings already made",
        "about 4 min",
        "Since: 14:09 UTC on 17 November 2026, 2 min ago",
        "Who has it: nobody yet; on duty: Ingrid Solheim",
        "Likely cause: Release 2026.11.3 was deployed 3 min before.",
        "What moved: database calls 4 to 41",
        "https://ops.internal/services/fares-api/rollback-note",
        "https://ops.internal/services/fares-api/price-a-crossing",
        "Incident INC-0412: https://ops.internal/incidents/412",
        "Acknowledge: https://ops.internal/acknowledge/412-1.x.y",
    ],
)
def test_a_failing_message_tells(words: str):
    assert words in text_of(NEWS)


def test_the_way_back_comes_right_after_the_first_sentence():
    first, second, *_ = text_of(NEWS).split("\n\n")
    assert first.startswith("Price a crossing of fares-api in production is failing")
    assert second.startswith("The way back: Go back to the previous release")
    assert "2. Deploy the previous release" in second


def test_without_a_rollback_note_the_message_says_so():
    assert "no rollback note has been written" in text_of(replace(NEWS, note=None))


def test_a_sheet_that_does_not_say_where_users_notice_is_named():
    text = text_of(replace(NEWS, paths=(replace(PATH, user_notices=""),)))
    assert "Where the user notices: not written down yet" in text


def test_who_has_it_is_who_acknowledged_before_who_is_on_duty():
    taken = replace(NEWS, acknowledged_by="Ana Berg")
    assert "Who has it: Ana Berg, acknowledged" in text_of(taken)
    assert "Who has it: nobody yet\n" in text_of(replace(NEWS, on_duty=""))


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({}, "[INC-0412] Failing: Price a crossing (fares-api, production)"),
        (
            {"events": ("failing",), "opening": 2},
            "[INC-0412] Failing again: Price a crossing (fares-api, production)",
        ),
        (
            {"events": ("resolved",)},
            "[INC-0412] Resolved: Price a crossing (fares-api, production)",
        ),
        (
            {"events": ("failing", "resolved"), "lasted": "4 min"},
            "[INC-0412] Was failing for 4 min: Price a crossing (fares-api, production)",
        ),
        (
            {"events": ("reminder",), "reminder": 2, "reminders": 5},
            "[INC-0412] Still failing, reminder 2 of 5: Price a crossing (fares-api, production)",
        ),
        (
            {"events": ("escalated",)},
            "[INC-0412] Nobody has acknowledged: Price a crossing (fares-api, production)",
        ),
        (
            {"paths": (PATH, PATH)},
            "[INC-0412] Failing: Price a crossing and 1 more (fares-api, production)",
        ),
    ],
)
def test_the_subject_sorts_by_incident_and_says_what_happened(fields, subject):
    assert subject_of(replace(NEWS, **fields)) == subject


def test_a_resolved_message_says_how_long_it_lasted_and_asks_for_nothing():
    text = text_of(replace(NEWS, events=("resolved",), lasted="23 min"))
    assert "has recovered: it was failing for 23 min, since 14:09" in text
    assert "The way back" not in text
    assert "Acknowledge" not in text


def test_a_path_that_is_not_watched_any_more_is_not_said_to_pass():
    unwatched = replace(NEWS, events=("resolved",), paths=(replace(PATH, is_watched=False),))
    assert "Not watched any more: Price a crossing" in text_of(unwatched)
    assert "recovered" not in text_of(unwatched)


def test_failing_again_says_that_further_alerts_wait():
    assert "further alerts wait until it holds" in text_of(replace(NEWS, opening=2))


def test_a_reminder_says_that_nobody_has_acknowledged_and_which_it_is():
    text = text_of(replace(NEWS, events=("reminder",), reminder=2, reminders=5))
    assert "Still failing, nobody has acknowledged: reminder 2 of 5." in text


def test_what_is_caused_below_offers_the_way_back_of_the_service_below():
    below = Below(incident="INC-0411", url="https://ops.internal/incidents/411", service="fares-db")
    text = text_of(replace(NEWS, events=("linked",), below=below))
    assert "caused below by INC-0411 of fares-db; its note is Go back to the previous" in text
    assert "The way back, of fares-db below: Go back" in text
    assert "https://ops.internal/incidents/411" in text


def test_several_are_told_each_with_its_sentence_its_note_and_its_links():
    other = replace(NEWS, incident="INC-0413", service="berths", events=("resolved",))
    letter = letter_of_some([NEWS, other], url=URL)
    text = plain.render(letter)
    assert letter.subject == "[INC-0412 to INC-0413] 2 alerts: 1 failing, 1 resolved"
    assert "[INC-0412] Failing: Price a crossing" in text
    assert "[INC-0413] Resolved: Price a crossing (berths, production)" in text
    assert text.count("The way back: Go back to the previous release") == 1
    assert "1. Hold new releases" not in text
    assert URL in text


def test_a_storm_is_counted_by_team_and_tier_and_names_the_first_20():
    items = [replace(NEWS, incident=f"INC-{number:04d}") for number in range(300)]
    items += [
        replace(NEWS, team="Freight", tier=3, incident=f"INC-{n:04d}") for n in range(300, 309)
    ]
    letter = letter_of_many(items, items[:20], url=URL)
    text = plain.render(letter)
    assert letter.subject == "[INC-0000 to INC-0308] 309 alerts: 309 failing"
    assert "Pricing: tier 1: 300 failing\nFreight: tier 3: 9 failing" in text
    assert "INC-0019" in text
    assert "INC-0020" not in text
    assert f"All 309 alerts: {URL}" in text


@pytest.mark.parametrize(
    "text", ["{{7*7}}", "{% include %}", "${7*7}", "{0.__class__}", "%(x)s", "<script>"]
)
def test_what_people_and_far_sides_wrote_stays_literal(text: str):
    hostile = replace(NEWS, paths=(replace(PATH, name=text, reason=text),))
    assert text in subject_of(hostile)
    assert f"What is wrong: {text}" in text_of(hostile)


def test_a_letter_is_the_same_after_it_was_stored():
    letter = letter_of_one(NEWS)
    assert letters.read(letters.stored(letter)) == letter


def test_a_template_of_a_channel_is_filled_by_plain_substitution():
    template = "{{tier}} {{ event }} {{ incident }} {{ path }}@{{ service }}"
    assert filled(template, values_for([NEWS])) == (
        "Tier 1 Failing INC-0412 Price a crossing@fares-api"
    )
    hostile = replace(NEWS, paths=(replace(PATH, name="{{ team }}\r\nBcc: x"),))
    assert filled("{{ path }}", values_for([hostile])) == "{{ team }} Bcc: x"


@pytest.mark.parametrize("template", ["", "Failing", "{{ event }}{{path}}: {{ team }}"])
def test_a_template_of_known_names_is_taken(template: str):
    assert unknown_names(template) == ""


@pytest.mark.parametrize(
    "template", ["{{ severity }}", "{{ event.__class__ }}", "{{ event", "event }}", "{{}}"]
)
def test_a_template_with_an_unknown_name_is_told_the_known_ones(template: str):
    assert "write one of {{ event }}, {{ incident }}, {{ path }}" in unknown_names(template)


def test_a_test_says_what_it_is():
    remark = Remark(event="test", subject="Test from Opsboard: Chat", text="Nothing fails.")
    assert subject_of(remark) == "Test from Opsboard: Chat"
    assert text_of(remark) == "Nothing fails.\n"


def test_tries_back_off_to_a_minute_then_to_five():
    waits = [
        next_attempt(attempts=n, waiting_for=60, scale=1, jitter=0) for n in (1, 2, 3, 4, 5, 9)
    ]
    assert waits == [5, 10, 20, 40, 60, 60]
    assert next_attempt(attempts=40, waiting_for=1801, scale=1, jitter=0) == 300


def test_an_alert_is_given_up_only_after_three_days():
    assert next_attempt(attempts=900, waiting_for=71 * 3600, scale=1, jitter=0) == 300
    assert next_attempt(attempts=900, waiting_for=72 * 3600 + 1, scale=1, jitter=0) is None
