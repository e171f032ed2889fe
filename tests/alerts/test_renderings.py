"""A letter in the form of each kind of channel: within its limits, and harmless."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from opsboard.alerts import letters
from opsboard.alerts.composing import letter_of_many, letter_of_one, letter_of_some
from opsboard.alerts.letters import Letter
from opsboard.alerts.renderings import html, pagerduty, plain, program, slack, teams
from tests.alerts.test_messages import NEWS, NOTE, PATH, URL

HOSTILE = "<!channel> <script>x()</script> *b* _i_ `c` [a](http://x) & <@U1|you>"
LONG = "x" * 9_000


def hostile() -> Letter:
    path = replace(PATH, name=HOSTILE, reason=HOSTILE, clauses=((HOSTILE, HOSTILE),))
    steps = [{"do": HOSTILE, "run": "echo '```' <a> && true", "see": HOSTILE, "call": HOSTILE}]
    return letter_of_one(
        replace(NEWS, paths=(path,), note=NOTE | {"title": HOSTILE, "steps": steps})
    )


def enormous() -> Letter:
    steps = [{"do": LONG, "run": LONG, "see": LONG, "call": LONG}] * 60
    path = replace(PATH, reason=LONG, clauses=((LONG, LONG),) * 40, user_notices=LONG)
    return letter_of_one(replace(NEWS, paths=(path,) * 10, note=NOTE | {"steps": steps}))


def a_storm() -> Letter:
    items = [
        replace(NEWS, incident=f"INC-{number:04d}", team=f"T{number}") for number in range(900)
    ]
    return letter_of_many(items, items[:20], url=URL)


ALL = {
    "one": letter_of_one(NEWS),
    "over": letter_of_one(replace(NEWS, events=("resolved",))),
    "some": letter_of_some([NEWS] * 20, url=URL),
    "storm": a_storm(),
    "hostile": hostile(),
    "enormous": enormous(),
}


@pytest.fixture(params=ALL)
def letter(request: pytest.FixtureRequest) -> Letter:
    return ALL[request.param]


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.hrefs: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.hrefs += [value or "" for name, value in attrs if name == "href"]


def test_html_loads_nothing_runs_nothing_and_has_no_inline_style(letter: Letter):
    read = Tags(html.render(letter))
    assert not {"script", "img", "link", "iframe", "form"} & set(read.tags)
    assert read.attributes <= {"lang", "charset", "name", "content", "href"}
    assert all(href.startswith("https://ops.internal/") for href in read.hrefs)


def test_html_tells_the_way_back_right_after_the_first_sentence():
    body = html.body(ALL["one"])
    assert (
        body.index("is failing") < body.index("Go back to the previous") < body.index("Where the")
    )
    assert "<li>Hold new releases<pre><code>fares hold</code></pre>" in body


def test_slack_takes_every_letter(letter: Letter):
    body = slack.render(letter)
    blocks = body["blocks"]
    assert 0 < len(blocks) <= 50
    assert all(len(one["text"]["text"]) <= 3_000 for one in blocks if one["type"] == "section")
    assert len(blocks[0]["text"]["text"]) <= 150
    assert len(body["text"]) <= 3_000
    assert body["unfurl_links"] is False


def test_slack_mentions_nobody_and_makes_no_marks_of_what_people_wrote():
    text = json.dumps(slack.render(hostile()), ensure_ascii=False)
    assert "<!channel>" not in text.replace('"text": "[INC-0412] Failing: <!channel>', "")
    assert "<@U1" not in text.split('"blocks"')[1].split("section", 1)[1]
    assert "&lt;!channel&gt;" in text
    assert " *b*" not in text.split("section", 1)[1]


def test_addresses_and_commands_are_not_changed_on_their_way_to_slack():
    url = "https://ops.internal/acknowledge/4-1.ab_c-d_e~f"
    run = "deploy --to *_prod_* ~/x"
    news = replace(NEWS, acknowledge_url=url, note=NOTE | {"steps": [{"do": "Go", "run": run}]})
    text = json.dumps(slack.render(letter_of_one(news)), ensure_ascii=False)
    assert f"<{url}|Acknowledge>" in text
    assert f"```{run}```" in text


def test_the_blocks_for_slack_name_the_way_back_before_the_facts():
    text = json.dumps(slack.blocks(ALL["one"]))
    assert text.index("Go back to the previous") < text.index("Where the user notices")


def test_teams_takes_every_letter(letter: Letter):
    body = teams.render(letter)
    [attachment] = body["attachments"]
    card = attachment["content"]
    assert body["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert len(json.dumps(body)) < 28_000
    assert len(card["actions"]) <= 6


def test_teams_makes_no_link_of_what_people_wrote():
    text = json.dumps(teams.render(hostile()))
    assert "[a](http" not in text


def content(letter: Letter, *events: dict[str, str]) -> dict[str, object]:
    return {"letter": letters.stored(letter), "events": list(events)}


def trigger(**fields: str) -> dict[str, str]:
    return {
        "action": "trigger",
        "key": "opsboard-ops.internal-INC-0412",
        "heading": ALL["one"].parts[0].heading,
        "severity": "critical",
        "service": "fares-api",
        "environment": "production",
        "event": "failing",
    } | fields


def events(letter: Letter, *named: dict[str, str]) -> list[dict[str, object]]:
    return pagerduty.render(
        content(letter, *named), letter, routing_key="R" * 32, source="ops.internal", url=URL
    )


def test_pagerduty_gets_the_sentence_the_way_back_and_links():
    [event] = events(ALL["one"], trigger())
    payload = event["payload"]
    assert (event["event_action"], event["routing_key"]) == ("trigger", "R" * 32)
    assert event["dedup_key"] == "opsboard-ops.internal-INC-0412"
    assert payload["severity"] == "critical"
    assert payload["summary"].startswith("[INC-0412] Failing: Price a crossing")
    assert "1. Hold new releases" in payload["custom_details"]["The way back"]
    assert {"href": "https://ops.internal/incidents/412", "text": "Incident INC-0412"} in event[
        "links"
    ]


def test_pagerduty_resolves_by_the_key_alone():
    [event] = events(ALL["over"], {"action": "resolve", "key": "k"})
    assert event == {"routing_key": "R" * 32, "event_action": "resolve", "dedup_key": "k"}


def test_pagerduty_takes_every_letter(letter: Letter):
    [event] = events(letter, trigger(heading=letter.parts[0].heading, key="k" * 400))
    assert len(event["payload"]["summary"]) <= 1_024
    assert len(event["dedup_key"]) <= 255


def test_a_summary_is_one_event_with_the_whole_text():
    [event] = events(a_storm(), trigger(heading="[INC-0000 to INC-0899] 900 alerts"))
    assert event["payload"]["summary"] == "[INC-0000 to INC-0899] 900 alerts"
    assert "INC-0019" in event["payload"]["custom_details"]["message"]


@pytest.mark.parametrize(("count", "kind"), [(1, "alert.failing"), (2, "alert.several")])
def test_programs_get_id_type_timestamp_text_and_facts(count: int, kind: str):
    stored = {"subject": "S", "text": "T", "alerts": [{"event": "failing"}] * count}
    body = program.render(stored, key="k", timestamp="2026-11-17T14:09:00+00:00", url=URL)
    assert body == stored | {
        "id": "k", "type": kind, "timestamp": "2026-11-17T14:09:00+00:00", "url": URL,
    }  # fmt: skip


def test_every_letter_reads_as_plain_text(letter: Letter):
    text = plain.render(letter)
    assert text.endswith("\n")
    assert "None" not in text
