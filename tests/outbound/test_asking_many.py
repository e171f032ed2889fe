"""One thread keeps many asks in flight, each started at its own time."""

import resource
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Ask, Failure, Reply
from tests.far_side import FarSide, answer, hang, kept_open, reset, routes
from tests.outbound.asking import HERE, TIMEOUT, ask
from tests.running.processes import until

Machine = Callable[..., FarSide]


def order(machine: FarSide, path: str = "/", timeout: int = TIMEOUT) -> Ask:
    return Ask(method="GET", url=machine.url(path), timeout=timeout)


def in_flight_becomes(asker: Asker, count: int) -> bool:
    """A reply can be taken a moment before its ask is no longer counted: it is never in neither."""
    return until(lambda: asker.in_flight == count, seconds=5)


def replies(asker: Asker, count: int) -> list[tuple[object, float, Reply]]:
    return [asker.replies.get(timeout=10) for _ in range(count)]


def test_each_ask_starts_at_its_own_time_in_order_and_never_before(far_side: Machine, asker: Asker):
    machine = far_side(answer())
    begin = time.monotonic() + 0.05
    due = {number: begin + number * 0.02 for number in range(50)}
    for number in reversed(due):
        asker.ask(order(machine), policy=HERE, at=due[number], key=number)
    assert asker.in_flight == 50
    came = sorted(replies(asker, 50), key=lambda reply: reply[1])
    assert [key for key, _, _ in came] == list(due)
    assert all(0 <= started - due[key] < 0.5 for key, started, _ in came)
    assert not [reply for _, _, reply in came if reply.failure]
    assert in_flight_becomes(asker, 0)


def test_an_ask_for_the_past_starts_at_once(far_side: Machine, asker: Asker):
    now = time.monotonic()
    asker.ask(order(far_side(answer())), policy=HERE, at=now - 60, key="late")
    key, started, reply = asker.replies.get(timeout=5)
    assert (key, reply.failure) == ("late", None)
    assert now <= started < now + 1


def test_an_earlier_ask_wakes_the_asker_from_waiting_for_a_later_one(
    far_side: Machine, asker: Asker
):
    machine, now = far_side(answer()), time.monotonic()
    asker.ask(order(machine), policy=HERE, at=now + 30, key="later")
    for key in ("first", "second"):
        asker.ask(order(machine), policy=HERE, at=now, key=key)
        assert asker.replies.get(timeout=5)[0] == key
    assert in_flight_becomes(asker, 1)


def test_asks_without_a_place_wait_and_tell_when_they_started(far_side: Machine):
    machine = far_side(answer(after=0.1))
    asker = Asker(max_open=2)
    asker.start()
    now = time.monotonic()
    for number in range(6):
        asker.ask(order(machine), policy=HERE, at=now, key=number)
    came = replies(asker, 6)
    asker.stop()
    starts = sorted(started - now for _, started, _ in came)
    assert starts[1] < 0.1 <= starts[2] and starts[4] >= 0.2
    assert all(reply.phases.total < 400_000 for _, _, reply in came)


def test_one_slow_machine_holds_up_nobody(far_side: Machine, asker: Asker):
    slow, quick = far_side(hang()), far_side(answer())
    now = time.monotonic()
    for number in range(100):
        machine = slow if number < 50 else quick
        asker.ask(order(machine), policy=HERE, at=now, key=number)
    first = replies(asker, 50)
    assert {reply.failure for _, _, reply in first} == {None}
    assert {reply.failure for _, _, reply in replies(asker, 50)} == {Failure.TIMEOUT}


def test_every_ask_gets_its_own_reply(far_side: Machine, asker: Asker):
    paths = {f"/{number}": answer(body=b"%d" % number) for number in range(100)}
    machine, now = far_side(routes(paths)), time.monotonic()
    for number in range(100):
        asker.ask(order(machine, f"/{number}"), policy=HERE, at=now, key=number)
    assert all(reply.body == b"%d" % key for key, _, reply in replies(asker, 100))


def test_a_used_line_forgets_the_request_before(far_side: Machine):
    machine = far_side(answer())
    asker = Asker(max_open=1)
    asker.start()
    secret = Ask(
        method="POST", url=machine.url(), body=b"payload", headers=(("X-Api-Key", "secret"),)
    )
    for wanted in (secret, order(machine), Ask(method="HEAD", url=machine.url()), order(machine)):
        asker.ask(wanted, policy=HERE, at=time.monotonic(), key=None)
    bodies = [reply.body for _, _, reply in replies(asker, 4)]
    asker.stop()
    assert bodies == [b"ok", b"ok", b"", b"ok"]
    assert [request.method for request in machine.requests] == ["POST", "GET", "HEAD", "GET"]
    assert "secret" not in str(machine.requests[1:]) and "payload" not in str(machine.requests[1:])


def test_every_ask_has_a_connection_of_its_own(far_side: Machine, asker: Asker):
    machine = far_side(kept_open(answer()))
    for _ in range(3):
        asker.ask(order(machine), policy=HERE, at=time.monotonic(), key=None)
        assert asker.replies.get(timeout=5)[2].failure is None
    assert (machine.connections, len(machine.requests)) == (3, 3)


def test_abandoning_returns_the_keys_of_everything_unfinished(far_side: Machine, asker: Asker):
    quick, stuck = far_side(answer()), far_side(hang())
    now = time.monotonic()
    asker.ask(order(quick), policy=HERE, at=now, key="done")
    assert asker.replies.get(timeout=5)[0] == "done"
    asker.ask(order(stuck, timeout=5_000_000), policy=HERE, at=now, key="open")
    asker.ask(order(quick), policy=HERE, at=now + 60, key="later")
    assert sorted(map(str, asker.abandon())) == ["later", "open"]
    assert in_flight_becomes(asker, 0)
    asker.ask(order(quick), policy=HERE, at=now, key="after")
    assert asker.replies.get(timeout=5)[0] == "after"
    assert asker.replies.empty()


def test_what_was_answered_is_not_abandoned(far_side: Machine, asker: Asker):
    asker.ask(order(far_side(answer())), policy=HERE, at=time.monotonic(), key="done")
    came = asker.replies.get(timeout=5)
    assert came[0] == "done" and asker.abandon() == []


def test_whatever_is_asked_is_either_answered_or_abandoned_and_never_both(
    far_side: Machine, asker: Asker
):
    machine = far_side(answer())
    for _ in range(10):
        for number in range(20):
            asker.ask(order(machine), policy=HERE, at=time.monotonic(), key=number)
        answered = [asker.replies.get(timeout=5)[0] for _ in range(5)]
        abandoned = asker.abandon()
        while not asker.replies.empty():
            answered.append(asker.replies.get()[0])
        assert sorted(map(int, map(str, [*answered, *abandoned]))) == list(range(20))


def test_an_abandoned_connection_is_closed(far_side: Machine, asker: Asker):
    gone = threading.Event()

    def wait_for_the_end(visit):
        visit.connection.recv(1)
        gone.set()

    machine = far_side(wait_for_the_end)
    asker.ask(order(machine, timeout=5_000_000), policy=HERE, at=time.monotonic(), key=1)
    machine.wait_for_a_request()
    assert asker.abandon() == [1]
    assert gone.wait(3)


def test_stopping_ends_the_thread_although_something_is_open(far_side: Machine):
    before = threading.active_count()
    machine = far_side(hang())
    asker = Asker()
    asker.start()
    asker.ask(order(machine, timeout=5_000_000), policy=HERE, at=time.monotonic(), key=1)
    began = time.monotonic()
    asker.stop()
    assert time.monotonic() - began < 2
    assert "asker" not in [thread.name for thread in threading.enumerate()]
    assert before <= threading.active_count()


def test_an_asker_that_never_started_can_be_stopped():
    asker = Asker()
    asker.stop()
    assert in_flight_becomes(asker, 0)


def test_an_ask_after_the_end_is_our_own_error(far_side: Machine):
    asker = Asker()
    asker.start()
    asker.stop()
    asker.ask(order(far_side(answer())), policy=HERE, at=time.monotonic(), key="late")
    key, _, reply = asker.replies.get(timeout=5)
    assert (key, reply.failure, reply.is_ours) == ("late", Failure.INTERNAL, True)


def test_many_threads_may_ask_at_once(far_side: Machine, asker: Asker):
    machine = far_side(answer())

    def ask_some(group: int) -> None:
        for number in range(25):
            key = (group, number)
            asker.ask(order(machine, timeout=5_000_000), policy=HERE, at=time.monotonic(), key=key)

    threads = [threading.Thread(target=ask_some, args=(group,)) for group in range(4)]
    for thread in threads:
        thread.start()
    came = {key for key, _, _ in replies(asker, 100)}
    for thread in threads:
        thread.join(5)
    assert len(came) == 100


def test_a_loop_that_was_kept_from_turning_tells_so(far_side: Machine, asker: Asker):
    """A second thread that never lets go of the interpreter is what a busy recorder looks like."""
    machine = far_side(answer(after=0.3))
    asker.ask(order(machine, timeout=5_000_000), policy=HERE, at=time.monotonic(), key=1)
    machine.wait_for_a_request()
    sum(range(20_000_000))
    reply = asker.replies.get(timeout=5)[2]
    assert reply.loop_delay > 50_000


def test_a_loop_that_turns_freely_tells_little_delay(far_side: Machine):
    assert ask(far_side(answer(after=0.05)).url()).loop_delay < 50_000


@pytest.fixture
def few_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "fares.test"])
def test_no_descriptor_left_is_our_own_error(
    far_side: Machine, asker: Asker, few_descriptors: None, host: str
):
    machine = far_side(answer())
    asker.ask(order(machine), policy=HERE, at=time.monotonic(), key="before")
    assert asker.replies.get(timeout=5)[2].failure is None
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    asker.ask(
        Ask(method="GET", url=machine.url(host=host)),
        policy=HERE,
        at=time.monotonic(),
        key="without",
    )
    key, _, reply = asker.replies.get(timeout=10)
    assert (key, reply.failure, reply.is_ours) == ("without", Failure.INTERNAL, True)
    assert "file descriptor" in reply.detail


def test_a_reset_leaves_the_asker_whole(far_side: Machine, asker: Asker):
    broken, whole = far_side(reset()), far_side(answer())
    for number in range(20):
        machine = broken if number % 2 else whole
        asker.ask(order(machine), policy=HERE, at=time.monotonic(), key=number)
    for key, _, reply in replies(asker, 20):
        assert reply.failure == (Failure.RESET if int(str(key)) % 2 else None)


def test_what_was_asked_before_the_start_is_asked_then(far_side: Machine):
    asker = Asker()
    asker.ask(order(far_side(answer())), policy=HERE, at=time.monotonic(), key="early")
    assert in_flight_becomes(asker, 1)
    asker.start()
    assert asker.replies.get(timeout=5)[0] == "early"
    asker.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_the_loop_leaves_nobody_waiting(far_side: Machine, asker: Asker):
    machine = far_side(hang())
    asker.ask(order(machine, timeout=5_000_000), policy=HERE, at=time.monotonic(), key="open")
    machine.wait_for_a_request()
    broken = Ask(method="GET", url=None)  # type: ignore[arg-type]
    asker.ask(broken, policy=HERE, at=time.monotonic(), key="broken")
    came = {key: reply for key, _, reply in replies(asker, 2)}
    assert set(came) == {"open", "broken"}
    assert all(reply.failure is Failure.INTERNAL and reply.is_ours for reply in came.values())
    assert in_flight_becomes(asker, 0)
