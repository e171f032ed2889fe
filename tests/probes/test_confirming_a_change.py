"""When a verdict is believed: patience, windows, silence, and errors of our own."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from opsboard.expectations.grammar import parse
from opsboard.expectations.tally import keep_for
from opsboard.expectations.windows import implied_clause
from opsboard.outbound.reply import Failure, Phases, Reply
from opsboard.probes.rules import Expected, Standing, State, Turn, judge, take_turn

SECOND = 1_000_000
START = 1_795_000_000 * SECOND
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

GOOD = Reply(status=200, http_version="1.1", phases=Phases(total=20_000))
SLOW = Reply(status=200, http_version="1.1", phases=Phases(total=900_000))
BAD = Reply(status=503, http_version="1.1", phases=Phases(total=20_000))
OURS = Reply(failure=Failure.INTERNAL, detail="No file descriptor is left.", is_ours=True)

CLAUSES = "status == 200\nwarn time < 400 ms"


def expected(text: str = CLAUSES, interval: int = 30 * SECOND) -> Expected:
    clauses = parse(text)
    windowed = tuple(clause for clause in clauses if clause.window)
    implied = implied_clause(clauses, interval)
    return Expected(
        clauses=tuple(clause for clause in clauses if not clause.window),
        windowed=windowed,
        implied=implied,
        keep=keep_for((*windowed, *([implied] if implied else []))),
    )


class Path:
    """One probe whose replies are given by hand, an interval apart."""

    def __init__(
        self,
        text: str = CLAUSES,
        *,
        patience: int = 2,
        recovers_after: int | None = None,
        interval: int = 30,
        state: State | None = None,
    ) -> None:
        self.expected = expected(text, interval * SECOND)
        self.patience, self.interval = patience, interval * SECOND
        self.recovers_after = recovers_after or patience
        self.at = START
        self.standing = Standing(since=START)
        self.turns: list[Turn] = []
        if state is not None:
            self.standing = Standing(
                state=state, streak_state=state, since=START, observed_at=START
            )

    def gets(self, *replies: Reply, scheduled: bool = True) -> "Path":
        for reply in replies:
            self.at += self.interval
            judgement = judge(reply, self.expected.clauses, now=NOON)
            heard = self.standing.observed_at or self.standing.since
            turn = take_turn(
                self.standing,
                judgement,
                self.expected,
                at=self.at,
                total=reply.phases.total,
                patience=self.patience,
                patience_to_recover=self.recovers_after,
                silent_at=heard + 2 * self.interval + 10 * SECOND,
                is_scheduled=scheduled,
            )
            self.turns.append(turn)
            self.standing = turn.standing
        return self

    @property
    def state(self) -> State:
        return self.standing.state

    @property
    def changes(self) -> list[tuple[State, State]]:
        return [(c.before, c.after) for turn in self.turns for c in turn.changes]


def test_a_path_never_asked_has_no_data():
    assert Path().state is State.NO_DATA


def test_the_first_passing_verdict_after_no_data_is_taken_at_once():
    assert Path().gets(GOOD).state is State.PASSING


def test_the_first_failing_verdict_after_no_data_waits_for_patience():
    path = Path().gets(BAD)
    assert path.state is State.NO_DATA
    assert path.gets(BAD).state is State.FAILING


def test_one_failure_is_not_yet_a_change():
    assert Path(state=State.PASSING).gets(BAD).state is State.PASSING


def test_patience_failures_in_a_row_are_failing():
    assert Path(state=State.PASSING, patience=3).gets(BAD, BAD).state is State.PASSING
    assert Path(state=State.PASSING, patience=3).gets(BAD, BAD, BAD).state is State.FAILING


def test_one_success_starts_the_count_again():
    assert Path(state=State.PASSING).gets(BAD, GOOD, BAD).state is State.PASSING


def test_a_failing_verdict_also_counts_towards_warning():
    assert Path(state=State.PASSING).gets(SLOW, BAD).state is State.WARNING


def test_recovery_needs_the_same_patience():
    path = Path(state=State.FAILING).gets(GOOD)
    assert path.state is State.FAILING
    assert path.gets(GOOD).state is State.PASSING


def test_failing_eases_to_warning_when_that_is_the_worst_of_the_streak():
    assert Path(state=State.FAILING).gets(SLOW, GOOD).state is State.WARNING


def test_patience_one_believes_every_verdict():
    path = Path(state=State.PASSING, patience=1).gets(BAD)
    assert path.state is State.FAILING
    assert path.gets(GOOD).state is State.PASSING


@pytest.mark.parametrize(
    ("patience", "recovers_after", "replies", "states"),
    [
        (2, 3, [BAD, BAD, GOOD, GOOD, GOOD], "ppf ffp"),
        (3, 1, [BAD, BAD, BAD, GOOD], "pppf p"),
        (1, 4, [BAD, GOOD, GOOD, GOOD, BAD, GOOD, GOOD, GOOD, GOOD], "pf fff f fffp"),
        (2, 3, [BAD, BAD, GOOD, GOOD, BAD, GOOD, GOOD, GOOD], "ppf ff f ffp"),
        (2, 3, [BAD, BAD, SLOW, GOOD, SLOW, GOOD, GOOD, GOOD], "ppf ffw wwp"),
        (2, 1, [BAD, BAD, SLOW, GOOD, BAD, BAD], "ppf wppf"),
        (4, 2, [BAD, GOOD, BAD, BAD, BAD, BAD, GOOD, GOOD], "ppp pppf fp"),
    ],
)
def test_it_gets_worse_and_better_each_with_its_own_patience(
    patience: int, recovers_after: int, replies: list[Reply], states: str
):
    path = Path(state=State.PASSING, patience=patience, recovers_after=recovers_after)
    found = [path.state.value[0]] + [path.gets(reply).state.value[0] for reply in replies]
    assert found == list(states.replace(" ", ""))
    assert len(path.standing.recent) <= max(patience, recovers_after)


def test_the_first_disagreement_is_asked_again_in_both_directions():
    path = Path(state=State.PASSING, patience=2, recovers_after=3)
    path.gets(GOOD, BAD, BAD, GOOD, GOOD, GOOD)
    assert [turn.asks_again for turn in path.turns] == [False, True, False, True, False, False]


def test_a_long_patience_to_recover_does_not_hold_a_window():
    path = Path("status == 200\nerrors < 5 % over 60 s", interval=1, recovers_after=10)
    path.gets(*[GOOD, GOOD, GOOD, GOOD, BAD] * 6)
    assert path.state is State.FAILING
    assert path.gets(*[GOOD] * 130).state is State.PASSING


def test_an_error_of_our_own_is_no_data_with_its_reason():
    path = Path(state=State.PASSING).gets(OURS)
    assert path.state is State.NO_DATA
    assert path.standing.reason == "No file descriptor is left."


def test_an_error_of_our_own_neither_extends_nor_resets_a_streak():
    assert Path(state=State.PASSING).gets(BAD, OURS).standing.recent == "f"
    assert Path(state=State.PASSING).gets(BAD, OURS, BAD).state is State.FAILING


def test_a_failing_verdict_after_an_error_of_our_own_does_not_show_as_passing():
    assert Path(state=State.PASSING).gets(OURS, BAD).state is State.NO_DATA


def test_a_failing_path_stays_failing_through_an_error_of_our_own_and_one_good_answer():
    assert Path(state=State.FAILING).gets(BAD, BAD, OURS, GOOD).state is State.FAILING


def test_the_reason_of_a_failing_path_survives_a_single_good_answer():
    path = Path(state=State.PASSING).gets(BAD, BAD, GOOD)
    assert "503" in path.standing.reason


def test_silence_is_written_down_where_it_began_by_the_observation_that_ends_it():
    path = Path().gets(GOOD)
    path.at += 10 * 60 * SECOND
    path.gets(GOOD)
    silent, back = path.turns[-1].changes
    assert (silent.before, silent.after) == (State.PASSING, State.NO_DATA)
    assert silent.at == START + 30 * SECOND + 2 * 30 * SECOND + 10 * SECOND
    assert (back.before, back.after) == (State.NO_DATA, State.PASSING)


def test_a_streak_does_not_reach_across_a_silence():
    path = Path(state=State.PASSING).gets(BAD)
    path.at += 10 * 60 * SECOND
    assert path.gets(BAD).state is State.NO_DATA


def test_the_first_disagreement_is_asked_again_and_the_second_is_not():
    path = Path(state=State.PASSING, patience=3).gets(GOOD, BAD, BAD)
    assert [turn.asks_again for turn in path.turns] == [False, True, False]


def test_the_first_good_answer_of_a_failing_path_is_asked_again():
    path = Path(state=State.FAILING).gets(BAD, BAD, GOOD)
    assert path.turns[-1].asks_again


def test_a_confirmed_change_is_not_asked_again():
    path = Path(state=State.PASSING, patience=1).gets(BAD)
    assert not path.turns[-1].asks_again


def test_re_asks_count_for_patience_and_not_in_windows():
    path = Path("status == 200\nerrors < 50 % over 30 m", state=State.PASSING)
    path.gets(BAD).gets(*[BAD] * 25, scheduled=False)
    assert path.state is State.FAILING
    assert "1 of 20" in path.turns[-1].windows[0].got


ONE_IN_FIVE = [GOOD, GOOD, GOOD, GOOD, BAD]


def test_a_path_that_fails_one_time_in_five_is_caught_by_its_window():
    path = Path("status == 200\nerrors < 5 % over 60 s", interval=1)
    path.gets(*ONE_IN_FIVE * 6)
    assert path.state is State.FAILING
    assert path.changes == [(State.NO_DATA, State.PASSING), (State.PASSING, State.FAILING)]


def test_a_broken_window_does_not_flap():
    path = Path("status == 200\nerrors < 5 % over 60 s", interval=1)
    path.gets(*ONE_IN_FIVE * 60)
    assert len(path.changes) == 2


@pytest.mark.parametrize("seed", range(20))
def test_failures_at_random_one_in_five_open_one_stretch_only(seed: int):
    import random

    source = random.Random(seed)
    path = Path("status == 200\nerrors < 5 % over 60 s", interval=1)
    path.gets(*[BAD if source.random() < 0.2 else GOOD for _ in range(300)])
    assert path.state is State.FAILING
    assert [after for _, after in path.changes].count(State.FAILING) == 1


def test_a_window_clears_when_it_holds_again():
    path = Path("status == 200\nerrors < 5 % over 60 s", interval=1)
    path.gets(*ONE_IN_FIVE * 6)
    path.gets(*[GOOD] * 130)
    assert path.state is State.PASSING


def test_a_warn_window_makes_a_warning():
    path = Path("status == 200\nwarn errors < 5 % over 60 s", interval=1)
    path.gets(*ONE_IN_FIVE * 6)
    assert path.state is State.WARNING


def test_the_implied_window_catches_what_a_streak_cannot():
    path = Path("status == 200")
    path.gets(*[GOOD, GOOD, GOOD, BAD] * 8)
    assert path.state is State.FAILING


def test_an_outage_that_a_streak_has_told_does_not_break_the_implied_window_too():
    path = Path("status == 200").gets(*[GOOD] * 20, *[BAD] * 12)
    assert path.state is State.FAILING
    assert path.gets(GOOD, GOOD).state is State.PASSING


def test_a_written_window_keeps_an_outage_until_it_has_left_the_window():
    path = Path("status == 200\nerrors < 10 % over 30 m").gets(*[GOOD] * 20, *[BAD] * 12)
    assert path.gets(GOOD, GOOD).state is State.FAILING


def test_a_path_that_a_window_keeps_from_recovering_says_so_and_not_what_is_mended():
    path = Path("status == 200\nerrors < 10 % over 30 m").gets(*[GOOD] * 6, BAD, BAD, GOOD, GOOD)
    assert path.state is State.FAILING
    assert (
        path.standing.reason == "errors: 2 of 10 failed so far, too many for under 10 % over 30 m"
    )


def test_delayed_observations_are_not_judged_by_time():
    judgement = judge(replace(SLOW, loop_delay=60_000), expected().clauses, now=NOON)
    assert judgement.reason == ""
    assert [holding.held for holding in judgement.holdings] == [True, None]
