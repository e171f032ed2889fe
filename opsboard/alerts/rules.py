"""When messages are made and tried again: plain values in, plain values out."""

SECOND = 1_000_000
STEPS = (5, 10, 20, 40, 60)
# After half an hour of tries a minute apart, five minutes; given up after three days.
PATIENT_AFTER = 30 * 60
PATIENT_STEP = 300
GIVEN_UP_AFTER = 72 * 3600


def next_attempt(*, attempts: int, waiting_for: float, scale: float, jitter: float) -> float | None:
    """Seconds until the next try after `attempts` failed ones; None: give up.

    `waiting_for` is seconds since the delivery was written, `jitter` between -1 and 1, `scale` 1
    for the steps as they are. A fifth of jitter keeps many deliveries from trying as one.
    """
    if waiting_for > GIVEN_UP_AFTER:
        return None
    patient = waiting_for > PATIENT_AFTER
    step = PATIENT_STEP if patient else STEPS[min(attempts, len(STEPS)) - 1]
    return step * scale * (1 + 0.2 * jitter)


# A quiet channel waits a moment, for what begins together; then it is told every so often.
QUIET_WAIT = 1 * SECOND
BUSY_WAIT = 10 * SECOND
# Above this many beginnings in a minute one summary is made, less often.
MOST_OPENINGS_A_MINUTE = 20
STORM_WAIT = 30 * SECOND


def gathers_at(*, wanted_at: int, last_made_at: int | None, openings: int, scale: float = 1) -> int:
    """When a channel's next message is to be made.

    `wanted_at` is when the first of what waits was wanted, `last_made_at` when its last message was
    made (None: never), `openings` how many incidents it was to be told of in the last minute. All
    times in microseconds; `scale` is 1 for the waits as they are.
    """
    quiet = wanted_at + round(QUIET_WAIT * scale)
    if last_made_at is None:
        return quiet
    gap = STORM_WAIT if openings > MOST_OPENINGS_A_MINUTE else BUSY_WAIT
    return max(quiet, last_made_at + round(gap * scale))
