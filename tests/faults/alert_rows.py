"""Rows in which alerts are hurt: senders that die, receivers that fail, and a thousand at once.

Only the alerts of a board run, in processes of their own; paths fail as recording makes them fail.
"""

import random
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from math import inf

from tests.faults.alerts_ledger import (
    alerts_lost,
    incidents_of,
    out_of_order,
    taken,
    times_told,
    too_many,
    untold,
    waiting,
)
from tests.faults.boards import alerting
from tests.faults.postgres import Server
from tests.faults.programs import running
from tests.faults.report import Outcome, PassLine
from tests.faults.rig import Rig, Scale
from tests.faults.runs import MICRO, Figures, Run
from tests.faults.talking import Talker, talker
from tests.running.processes import until

TOLD_WITHIN = 40.0
MOST_MESSAGES = 10
# As shipped a storm's last alert is told within a minute, of a quiet wait of one second.
STORM_TOLD_WITHIN = 60.0


def figures_of(run: Run, *, recovery: float | None = None) -> Figures:
    """What there is to count where nothing is probed."""
    incidents, told = incidents_of(run), times_told(run)
    return Figures(
        rounds_lost=None,
        results_duplicated=0,
        max_gap_s=None,
        incidents_duplicated=too_many(incidents, run.outages),
        alerts_lost=alerts_lost(run, incidents, told),
        alerts_duplicated=sum(count - 1 for count in told.values()),
        recovery_s=recovery,
    )


def _all_told(rig: Rig) -> None:
    told = until(lambda: untold(rig.store) == 0, seconds=TOLD_WITHIN)
    assert told, f"{waiting(rig.store)}\n{rig.logs()}"


def _run(rig: Rig, began: float, ended: float | None, count: int) -> Run:
    return rig.run(began=began, fault_ended=ended, outages=frozenset(range(count)))


# Kills ------------------------------------------------------------------------------------


def kills_of_the_sender(server: Server | None, scale: Scale) -> Outcome:
    """F3: kill -9 of the sender while incidents open and close.

    In turn: between sending and marking, when the sink has written the message down and has not
    answered yet; while the message is being sent, and not written down; and at any moment.
    """
    with alerting(server, scale) as (rig, breaker), ExitStack() as stack:
        sender = rig.sender()
        stack.callback(sender.kill)
        began = time.time()
        sender.start()
        news = threading.Thread(target=_open_and_close, args=(breaker, scale))
        news.start()
        hit = Counter[str]()
        for number in range(scale.times):
            how = ("take", "hang", "")[number % 3]
            hit[how] += _wait_for_a_message(rig, how)
            assert sender.is_alive(), sender.said
            sender.kill()
            rig.tell_sink("ok")
            sender.start()
        news.join()
        ended = time.time()
        _all_told(rig)
        run = _run(rig, began, ended, scale.probes)
        messages = rig.store.one("SELECT count(*) FROM alerts_message")
        return Outcome(
            row="F3",
            scale=scale,
            figures=figures_of(run, recovery=round(time.time() - ended, 1)),
            injected=f"kill -9 of the sender {scale.times} times, {hit['take']} of them between "
            f"sending a message and marking it and {hit['hang']} while sending it, while "
            f"{scale.probes} incidents opened and closed",
            pass_line=PassLine(max_gap_s=inf, alerts_duplicated=scale.times),
            notes=[f"{messages} messages"],
            also_broken=[
                *out_of_order(run),
                *([] if hit["take"] and hit["hang"] else ["kills missed"]),
            ],
        )


def _open_and_close(breaker: Talker, scale: Scale) -> None:
    """Each path fails once and recovers once, in no order, over the seconds of the scale."""
    news = [("failing", number) for number in range(scale.probes)]
    random.shuffle(news)
    for number in range(scale.probes):
        after = news.index(("failing", number)) + 1
        news.insert(random.randint(after, len(news)), ("passing", number))
    began = time.monotonic()
    for place, (state, number) in enumerate(news):
        time.sleep(max(0.0, began + scale.seconds * place / len(news) - time.monotonic()))
        breaker.tell(f"{state} {number}")


def _wait_for_a_message(rig: Rig, does: str) -> bool:
    """Until the sink has one that it does not answer, or for a moment. Whether it has."""
    if not does:
        time.sleep(random.uniform(0.3, 1.0))
        return False
    rig.tell_sink(does)
    before = _asked(rig, "/")
    return until(lambda: _asked(rig, "/") > before, seconds=6)


def kills_around_a_commit(server: Server | None, scale: Scale) -> Outcome:
    """F4: kill -9 of who records a failure, just before its commit and just after."""
    with alerting(server, scale) as (rig, _), running(rig.sender()):
        began, half = time.time(), scale.probes // 2
        store = rig.store
        store.write("UPDATE probes_probe SET slot_at = slot_at + %s", 1800 * MICRO)
        probes = [probe for (probe,) in store.rows("SELECT id FROM probes_probe ORDER BY path_id")]
        torn = []
        for place, probe in enumerate(probes):
            written = _record_and_die(rig, probe, "dies after" if place < half else "dies before")
            if written != ((1, 1, 1, 1) if place < half else (0, 0, 0, 0)):
                torn.append(f"observation, state, incident and delivery of a kill: {written}")
        _all_told(rig)
        return Outcome(
            row="F4",
            scale=scale,
            figures=figures_of(_run(rig, began, None, half)),
            injected=f"kill -9 {half} times after the commit, {scale.probes - half} times before",
            pass_line=PassLine(max_gap_s=inf),
            also_broken=torn,
        )


def _record_and_die(rig: Rig, probe: int, how: str) -> tuple[int, ...]:
    """What is stored of it then: observation, state, incident, delivery."""
    due = "UPDATE probes_probe SET slot_at = %s, claim_id = NULL, leased_until = NULL WHERE id = %s"
    rig.store.write(due, time.time_ns() // 1000, probe)
    with talker("tests.faults.recorder", rig.environment) as recorder:
        recorder.hear()
        recorder.tell("claim")
        recorder.dies(how)
    later = "UPDATE probes_probe SET slot_at = slot_at + %s WHERE id = %s"
    rig.store.write(later, 1800 * MICRO, probe)
    questions = (
        "SELECT count(*) FROM probes_observation WHERE probe_id = %s",
        "SELECT count(*) FROM probes_probe WHERE state = 'failing' AND id = %s",
        "SELECT count(*) FROM incidents_incidentpath x"
        " JOIN probes_probe p ON p.path_id = x.path_id WHERE p.id = %s",
        "SELECT count(*) FROM alerts_delivery d JOIN incidents_incidentpath x"
        " ON x.incident_id = d.incident_id"
        " JOIN probes_probe p ON p.path_id = x.path_id WHERE p.id = %s",
    )
    return tuple(rig.store.one(question, probe) for question in questions)


# Receivers --------------------------------------------------------------------------------

CHANNELS = {
    "Fine": ("webhook", "{sink}/fine"),
    "Mail": ("email", "ops@example.com"),
    "Later": ("webhook", "{sink}/later"),
    "Gone": ("webhook", "{sink}/gone"),
}
FIRST, SECOND = range(5), range(5, 10)
OTHER_KEY = "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA="
BACK_WITHIN = 6.0
FINE_WITHIN = 3.0


def bad_receivers(server: Server | None, scale: Scale) -> dict[str, Outcome]:
    """F16 to F19 and F46 in one run: each channel has a receiver with a trouble of its own."""
    with alerting(server, scale, CHANNELS) as (rig, breaker), ExitStack() as stack:
        began = time.time()
        rig.tell_sink("429", "/later"), rig.tell_sink("410", "/gone")
        locked = _with_another_key(rig, breaker)
        drips, post, sender = rig.post("drips"), rig.post(), rig.sender()
        for program in (drips, post, sender):
            stack.callback(program.kill)
        drips.start()
        sender.start()
        broken = {row: list[str]() for row in ("F16", "F17", "F18", "F19", "F46")}
        broken["F46"] += locked
        broken["F17"] += _while_mail_drips(rig, breaker)
        drips.kill()
        asked = _while_mail_is_away(rig, breaker)
        post.start()
        back = time.time()
        broken["F16"] += _mail_is_back(rig, back)
        broken["F19"] += _told_as_over(rig)
        broken["F18"] += _refused_for_good(rig)
        rig.tell_sink("ok", "/gone")
        breaker.tell("replay")
        for number in SECOND:
            breaker.tell(f"passing {number}")
        _all_told(rig)
        run = _run(rig, began, back, len(FIRST) + len(SECOND))
        for row in ("F16", "F17", "F19"):
            broken[row] += out_of_order(run)
        figures = figures_of(run, recovery=round(time.time() - back, 1))
        injected = {
            "F16": f"no mail server for {scale.times} s",
            "F17": "a mail server that gives a byte a second",
            "F18": f"429 with Retry-After, asked {asked} times meanwhile; 410 until it was mended",
            "F19": f"{len(FIRST)} incidents over while there was no mail server",
            "F46": "senders with another field key, then with the right one",
        }
        return {
            row: Outcome(
                row=row,
                scale=scale,
                figures=figures,
                injected=injected[row],
                pass_line=PassLine(max_gap_s=inf),
                notes=["F16, F17, F18, F19 and F46 share one run"],
                also_broken=broken[row],
            )
            for row in broken
        }


def _with_another_key(rig: Rig, breaker: Talker) -> list[str]:
    """Nothing is sent then, and nothing is given up."""
    locked = (
        "SELECT count(DISTINCT channel_id) FROM alerts_message"
        " WHERE last_error LIKE '%cannot be decrypted%' AND dead_at IS NULL"
    )
    with running(rig.sender(OPSBOARD_FIELD_KEYS=OTHER_KEY)):
        for number in FIRST:
            breaker.tell(f"failing {number}")
        all_locked = until(lambda: rig.store.one(locked) == len(CHANNELS), seconds=15)
    return [] if all_locked else ["not every channel said that it cannot be decrypted"]


def _while_mail_drips(rig: Rig, breaker: Talker) -> list[str]:
    """The others hear at once of what fails meanwhile."""
    hung = "SELECT count(*) FROM alerts_message WHERE last_error LIKE '%not answered within%'"
    fine = Counter[str]()
    for number in SECOND:
        breaker.tell(f"failing {number}")
        failed = time.time()
        told = _hears_of(rig, "/fine", number + 1)
        fine["late"] += not told or time.time() - failed > FINE_WITHIN
    hangs = until(lambda: rig.store.one(hung), seconds=15)
    return [f"{fine['late']} alerts of another channel were late"] * bool(fine["late"]) + (
        [] if hangs else ["the mail server that drips was waited for"]
    )


def _hears_of(rig: Rig, path: str, count: int) -> bool:
    return until(lambda: _paths_told(rig, path) >= count, seconds=FINE_WITHIN * 3)


def _paths_told(rig: Rig, path: str) -> int:
    """How many incidents this path of the sink heard of."""
    keys = {one.key for one in taken(rig.run(began=0, fault_ended=None, outages=frozenset()))
            if one.path == path}  # fmt: skip
    rows = rig.store.rows(
        "SELECT m.key, d.incident_id FROM alerts_delivery d"
        " JOIN alerts_message m ON m.id = d.message_id WHERE d.event = 'failing'"
    )
    return len({incident for key, incident in rows if _plain(key) in {_plain(k) for k in keys}})


def _plain(key: object) -> str:
    return str(key).replace("-", "")


def _while_mail_is_away(rig: Rig, breaker: Talker) -> int:
    """Some recover. Returns how often the one that said "later" was asked in two of its waits."""
    before, began = _asked(rig, "/later"), time.monotonic()
    for number in FIRST:
        breaker.tell(f"passing {number}")
    time.sleep(4)
    asked = _asked(rig, "/later") - before
    rig.tell_sink("ok", "/later")
    time.sleep(max(0.0, began + rig.scale.times - time.monotonic()))
    return asked


def _asked(rig: Rig, path: str) -> int:
    lines = rig.sink.with_name(f"{rig.sink.name}.asked").read_text().splitlines()
    return sum(line.split()[1] == path for line in lines)


def _mail_is_back(rig: Rig, back: float) -> list[str]:
    away = (
        "SELECT count(*) FROM alerts_delivery d JOIN alerts_channel c ON c.id = d.channel_id"
        " LEFT JOIN alerts_message m ON m.id = d.message_id"
        " WHERE c.name = 'Mail' AND d.held_at IS NULL AND (m.id IS NULL OR m.delivered_at IS NULL)"
    )
    told = until(lambda: rig.store.one(away) == 0, seconds=TOLD_WITHIN)
    took = time.time() - back
    if told and took <= BACK_WITHIN:
        return []
    return [f"the last letter came {took:.1f} s after the mail server was back"]


def _told_as_over(rig: Rig) -> list[str]:
    """What began and ended while the mail server was away is one message that says both."""
    apart = rig.store.one(
        "SELECT count(*) FROM alerts_delivery f JOIN alerts_delivery r"
        " ON r.incident_id = f.incident_id AND r.channel_id = f.channel_id"
        " JOIN alerts_channel c ON c.id = f.channel_id WHERE c.name = 'Mail'"
        " AND f.event = 'failing' AND r.event = 'resolved' AND f.message_id <> r.message_id"
    )
    return [f"{apart} were told as failing when they were over"] if apart else []


def _refused_for_good(rig: Rig) -> list[str]:
    dead = (
        "SELECT count(*) FROM alerts_message m JOIN alerts_channel c ON c.id = m.channel_id"
        " WHERE c.name = 'Gone' AND m.dead_at IS NOT NULL"
    )
    names = until(lambda: _told_of_gone(rig), seconds=10)
    broken = []
    if not rig.store.one(dead):
        broken.append("a refusal for good was not given up")
    if not names or "Gone" in names or len(names) != len(set(names)):
        broken.append(f"that a channel does not deliver was told through {names}")
    return broken


def _told_of_gone(rig: Rig) -> list[str]:
    gone = rig.store.one("SELECT id FROM alerts_channel WHERE name = 'Gone'")
    rows = rig.store.rows(
        "SELECT c.name FROM alerts_notice n"
        " JOIN alerts_delivery d ON d.notice_id = n.id JOIN alerts_channel c ON c.id = d.channel_id"
        " WHERE n.kind = 'channel' AND n.key = %s",
        f"channel {gone}",
    )
    return [name for (name,) in rows]


# Storms -----------------------------------------------------------------------------------


def storms(server: Server | None, scale: Scale) -> dict[str, Outcome]:
    """F13, F14 and F15 in one run: all fail, all recover, and some do so again and again."""
    with alerting(server, scale) as (rig, breaker), running(rig.sender()):
        outcomes = {}
        for row, words, act in (
            ("F13", "failed at once", lambda: _all_become(breaker, "failing", scale)),
            ("F14", "recovered at once", lambda: _all_become(breaker, "passing", scale)),
            ("F15", "failed and recovered in turn", lambda: _flap(breaker, scale)),
        ):
            began, before = time.time(), len(taken(_run(rig, 0, None, 0)))
            act()
            ended = time.time()
            _let_the_wait_go_by(rig)
            _all_told(rig)
            run = _run(rig, began, ended, scale.probes)
            messages = len(taken(run)) - before
            took = time.time() - ended
            figures = figures_of(run, recovery=round(took, 1))
            if row == "F15":
                # Each time it fails is an outage of its own.
                figures = replace(figures, incidents_duplicated=0)
            outcomes[row] = Outcome(
                row=row,
                scale=scale,
                figures=figures,
                injected=f"{scale.probes if row != 'F15' else FLAPPING} services {words}",
                pass_line=PassLine(
                    max_gap_s=inf, recovery_s=max(5.0, STORM_TOLD_WITHIN * scale.gather)
                ),
                notes=[f"{messages} messages", "F13, F14 and F15 share one run"],
                also_broken=[
                    *([f"{messages} messages came"] if messages > MOST_MESSAGES else []),
                    *out_of_order(run),
                ],
            )
        return outcomes


def _let_the_wait_go_by(rig: Rig) -> None:
    """That what flaps is over waits for minutes, to see whether it lasts: not in a test."""
    now = time.time_ns() // 1000
    rig.store.write(
        "UPDATE alerts_delivery SET wanted_at = %s WHERE message_id IS NULL AND wanted_at > %s",
        now,
        now,
    )


FLAPPING = 10
FLIPS = 6


def _all_become(breaker: Talker, state: str, scale: Scale) -> None:
    began = time.monotonic()
    for number in range(scale.probes):
        time.sleep(max(0.0, began + scale.seconds * number / scale.probes - time.monotonic()))
        breaker.tell(f"{state} {number}")


def _flap(breaker: Talker, scale: Scale) -> None:
    began = time.monotonic()
    for flip in range(FLIPS):
        time.sleep(max(0.0, began + scale.seconds * flip / FLIPS - time.monotonic()))
        for number in range(FLAPPING):
            breaker.tell(f"{'passing' if flip % 2 else 'failing'} {number}")
