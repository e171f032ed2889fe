"""Asking once for a person who waits, and what came back as a page shows it."""

from dataclasses import dataclass, replace
from datetime import datetime

from opsboard.expectations.facts import Facts
from opsboard.expectations.got import Holding
from opsboard.expectations.shown import on_one_line
from opsboard.outbound.reply import Reply
from opsboard.probes.answers import job_words
from opsboard.probes.asking import ask_order, order_now
from opsboard.probes.orders import Order
from opsboard.probes.rules import STATES, Judgement, State
from opsboard.probes.step_facts import latest_steps
from opsboard.probes.stored import EXCERPT_BYTES, HIDDEN_HEADERS, printable
from opsboard.services.models import CriticalPath, Environment
from opsboard.web.step_rows import StepRow, step_rows
from opsboard.web.words import counted, duration, reason_sentence, size

MOST_HEADERS_SHOWN = 20
LONGEST_VALUE = 300


@dataclass(frozen=True, slots=True)
class ClauseLine:
    text: str
    state: State
    got: str

    @property
    def words(self) -> str:
        return "Not judged" if self.state is State.NO_DATA else self.state.words.capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One reply for a page: every text is masked, printable and bounded."""

    environment: str
    request: str
    # "answered 200 in 12 ms", or why there is no whole answer.
    sentence: str
    state: State
    headers: tuple[tuple[str, str], ...]
    # How many there were in all.
    all_headers: int
    body: str
    # "all of 1.2 kB", "the first 4.1 kB of 20 kB", "empty".
    body_shown: str
    clauses: tuple[ClauseLine, ...]
    # Of a path of several; () of any other.
    steps: tuple[StepRow, ...] = ()


def ask_path(path: CriticalPath, environment: Environment, *, now: datetime) -> Asked:
    """Ask as a worker would, without recording. `path` may be one that was never saved."""
    order = order_now(path, environment)
    reply, judgement = ask_order(order, now=now)
    seen = shown(order, reply, judgement, environment=environment.slug)
    if not path.steps:
        return seen
    did = latest_steps(judgement.steps, lambda text: on_one_line(order.mask(text)))
    rows = tuple(step_rows(path.steps, did, is_stale=False))
    said = reason_sentence(on_one_line(order.mask(judgement.reason), LONGEST_VALUE))
    passed = f"All steps passed in {duration(reply.phases.total)}."
    return replace(seen, request=path.asks, sentence=said or passed, steps=rows)


def shown(order: Order, reply: Reply, judgement: Judgement, *, environment: str) -> Asked:
    headers = [
        (name, "[hidden]" if name.lower() in HIDDEN_HEADERS else _line(value, order))
        for name, value in reply.headers[:MOST_HEADERS_SHOWN]
    ]
    body, body_shown = _body(judgement.facts, order)
    return Asked(
        environment=environment,
        request=_line(order.ask.line, order),
        sentence=_sentence(reply, order),
        state=STATES.get(judgement.verdict, State.NO_DATA),
        headers=tuple(headers),
        all_headers=len(reply.headers),
        body=body,
        body_shown=body_shown,
        clauses=tuple(_clause(holding, order) for holding in judgement.holdings),
    )


def _line(text: str, order: Order) -> str:
    # Masked before it is cut: half a secret is one too.
    return on_one_line(order.mask(text), LONGEST_VALUE)


def _sentence(reply: Reply, order: Order) -> str:
    if reply.exit_code is not None and not reply.detail:
        return f"The job {job_words(reply)}."
    if reply.failure and reply.status is None:
        return order.mask(reply.detail)
    if reply.status is None:
        return f"Answered in {duration(reply.phases.total)}."
    answered = f"Answered {reply.status} in {duration(reply.phases.total)}"
    if reply.redirects:
        answered += f", after {counted(reply.redirects, 'redirect')}"
    return f"{answered}. {order.mask(reply.detail)}".strip()


def _body(facts: Facts, order: Order) -> tuple[str, str]:
    whole = facts.text
    if not whole:
        return "", "empty"
    reach = EXCERPT_BYTES + max((3 * len(secret) for secret in order.secrets), default=0)
    text = printable(order.mask(whole[:reach].decode(errors="replace")))
    cut = text.encode()[:EXCERPT_BYTES].decode(errors="ignore")
    if len(whole) <= EXCERPT_BYTES:
        return cut, f"all of {size(len(whole))}"
    return cut, f"the first {size(EXCERPT_BYTES)} of {size(len(whole))}"


def _clause(holding: Holding, order: Order) -> ClauseLine:
    got = holding.got
    if holding.held is None:
        # Why it was not judged stands only in the sentence.
        got = holding.sentence.removeprefix(f"{holding.clause.subject} was ")
    return ClauseLine(holding.clause.text, _state(holding), on_one_line(order.mask(got)))


def _state(holding: Holding) -> State:
    if holding.held is None:
        return State.NO_DATA
    broken = State.WARNING if holding.clause.warn else State.FAILING
    return State.PASSING if holding.held else broken
