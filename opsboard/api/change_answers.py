"""What is answered of changes: one in a list, the whole of one, and its attempts."""

from typing import Annotated, Any

from ninja import Field
from pydantic import BaseModel

from opsboard.api.answers import Answer, Time, one_of
from opsboard.changes.models import Act, Change, Comparison, Window
from opsboard.changes.stages import Stage

COLLECTING = "collecting"
Verdict = Annotated[str, one_of([*Comparison.Verdict, COLLECTING])]
Side = Annotated[str, one_of(Window.Side)]


class SettingsSeen(Answer):
    """Set before the first baseline, and never edited after."""

    metric: Annotated[str, one_of(Change.Metric)]
    aim: Annotated[str, one_of(Change.Aim)]
    goal: float | None = Field(description="By how much it is meant to fall: 0.3 is 30 % less.")
    control: str | None = Field(description="A path that the change should not touch.")
    samples: int = Field(description="A side.")
    margin: float = Field(description="A difference smaller than this share says nothing.")
    equivalence: float | None = Field(
        description='Within which share it is "no change"; null: within the margin.'
    )
    guardrails: list[str] = Field(description="What may not get worse besides errors.")
    sampling: Annotated[str, one_of(Change.Sampling)]
    mode: Annotated[str, one_of(Change.Mode)] = Field(description="How a burst asks.")
    rate: float = Field(description="Requests a second of a burst.")
    warm_up_seconds: int
    warm_up_samples: int
    lasts: int = Field(description="Hours that a window may take.")


class BurstSeen(Answer):
    wanted: int
    asked: int
    started_at: Time
    started_by: str | None
    finished_at: Time | None = Field(description="null: it asks still.")
    stopped_at: Time | None
    trouble: str = Field(description='Why it ended early; "": it did not.')


class ProgressSeen(Answer):
    """Of the window that collects: how far it is, and nothing of what its samples say."""

    side: Side
    count: int
    of: int
    since: Time | None = Field(description="Samples count from here.")
    closes_at: Time | None = Field(description="Then what is there is taken.")
    newest_at: Time | None
    per_hour: float | None = Field(description="How many come, as far as it can be told.")
    trouble: str = Field(description='Why nothing comes; "": something does.')
    burst: BurstSeen | None = Field(description="The newest burst of this window.")


class SealedSeen(Answer):
    count: int
    sha256: str = Field(description="Of the CSV text of this side.")
    at: Time
    left_out: dict[str, Any] = Field(description="How many samples were left out, by the reason.")


class WindowSeen(Answer):
    opened_at: Time
    starts_at: Time = Field(description="Samples count from here; after: the warm-up is over.")
    closes_at: Time
    sealed: SealedSeen | None = Field(description="null: it collects.")


class ChangeActSeen(Answer):
    kind: Annotated[str, one_of(Act.Kind)]
    at: Time
    by: str | None
    command: str
    exit_code: int | None
    what: Annotated[str, one_of(Act.What)] | None = Field(description="Of a clear: what.")
    pattern: str
    count: int | None = Field(description="How many were cleared; null: it was not said.")
    remark: str
    worked: bool | None = Field(
        description="Of a clear: whether the first answer after it was a miss; null: not known."
    )


class ChangeAttemptSeen(Answer):
    number: int
    began_at: Time
    began_by: str | None
    before: WindowSeen
    after: WindowSeen | None = Field(description="null: the change is not applied yet.")
    applied_at: Time | None
    acts: list[ChangeActSeen]
    verdict: Verdict
    reason: str = Field(description='A word for programs; "": the figures say it all.')
    judged_at: Time | None
    given_up_at: Time | None
    given_up_because: str | None


class Judgement(BaseModel):
    """A part of two answers."""

    sentences: list[str] = Field(description="What happened, and why. Empty until it is judged.")
    reasons: list[str] = Field(description="The same, and what else is known, in sentences.")
    settle: str = Field(description='What would settle it; "": it is settled, or not judged.')
    result: dict[str, Any] | None = Field(
        description="The figures, with the keys of `manage.py compare --format json`: `n`,"
        " `error_rate`, `mix`, `pooled`, `adjusted`, `strata` and more. Ratios are natural"
        " logarithms of after over before, as [estimate, low, high]. null until it is judged."
    )


class ChangeAttemptWhole(ChangeAttemptSeen, Judgement):
    change: str
    url: str = Field(description="The page of it.")


class ChangeLine(Answer):
    number: int
    name: str = Field(description="As people say it.")
    title: str
    service: str
    path: str
    environment: str
    variables: list[Annotated[str, one_of(Change.Variable)]] = Field(
        description="What is changed. More than one makes the verdict confounded."
    )
    commit: str | None
    version: str | None = Field(description="Of the release that it goes out with.")
    declared_at: Time
    declared_by: str | None
    withdrawn_at: Time | None
    stage: Annotated[str, one_of(Stage)]
    attempt: int | None = Field(description="The newest; null: no baseline was opened.")
    verdict: Verdict = Field(description="Of the newest attempt: collecting until it is judged.")
    reason: str = Field(description='A word for programs; "": the figures say it all.')
    url: str = Field(description="The page of it.")


class ChangeWhole(ChangeLine, Judgement):
    purpose: str
    location: str = Field(description='Where a burst asks from; "": where the path is asked from.')
    assumptions: list[str]
    commands: list[str]
    settings: SettingsSeen
    progress: ProgressSeen | None = Field(description="null: nothing collects.")
    attempts: list[ChangeAttemptSeen] = Field(description="The newest first; 50 at most.")


class SamplesTaken(Answer):
    taken: int = Field(description="Of what was sent now.")
    count: int = Field(description="Of what the window has.")
    of: int
