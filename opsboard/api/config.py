"""The config check: which keys a service declares, and what an environment tells of them.

Only fingerprints come in, and only a few words go out: never a value, never its length.
"""

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Status
from pydantic import StringConstraints

from opsboard.api.answers import Answer, Router, Time, one_of
from opsboard.api.bodies import Body
from opsboard.api.door import actor_of, require, token_of
from opsboard.api.fields import Moment
from opsboard.api.finding import find_environment, find_service
from opsboard.api.problems import Error, Problem, error, pointer_to
from opsboard.instrument.config import DIGITS, root_of
from opsboard.people import tokens
from opsboard.people.tokens import READ, RELEASE
from opsboard.releases.config_reports import CHECKED_IN, Kept, Told, keep, release_for
from opsboard.releases.config_rules import wrong_names
from opsboard.releases.models import Release
from opsboard.releases.refusing import Refused
from opsboard.releases.rules import CONFIG
from opsboard.services.models import ConfigKey, Service

router = Router(tags=["config"])

type Fingerprint = Annotated[str, StringConstraints(pattern=rf"^[0-9a-f]{{{DIGITS}}}$")]


class NewReport(Body):
    """As opsboard.instrument.config makes it, beside the service."""

    release: str = Field(
        "", max_length=100, description="A version; else the newest that waits to go out."
    )
    root: str = Field(pattern=r"^[0-9a-f]{64}$", description="The root of the fingerprints.")
    made_with: Fingerprint = Field(description="The mark of the key they were made with.")
    fingerprints: dict[str, Fingerprint | None] = Field(
        description="By key, for every declared key: 16 hexadecimal digits; null: not set."
    )
    rules: dict[str, bool] = Field(
        default_factory=dict,
        description="By key, for every key with `equals` or `matches`: whether its rule holds.",
    )
    at: Moment | None = Field(None, description="When it was made. Now, unless said.")


class KeySeen(Answer):
    name: str
    presence: Annotated[str, one_of(ConfigKey.Presence)] = Field(alias="is")
    across: Annotated[str, one_of(["", *ConfigKey.Across])] = Field(
        description='Between environments; "": it may be either.'
    )
    equals: str = Field(description='What its value must be; "": anything.')
    matches: str = Field(description='The pattern that its value must match (RE2); "": none.')


class KeysSeen(Answer):
    service: str
    items: list[KeySeen]


class DifferenceSeen(Answer):
    key: str
    what: str
    environment: str = Field("", description="The other environment, where there is one.")


class ReportSeen(Answer):
    report: int = Field(description="Its number.")
    environment: str
    root: str
    at: Time
    outcome: Annotated[str, one_of(("passed", "failed", "inconclusive"))]
    differences: list[DifferenceSeen]
    unknown: list[str] = Field(description="What could not be judged, and why: sentences.")
    gate: Literal["config"] | None = Field(description="null: it is evidence for no gate.")
    release: str | None = Field(description="The release that it is evidence for.")
    note: str = Field(description='Why it is no evidence; "": it is.')


@router.get("/services/{service}/config-keys", response=KeysSeen)
def config_keys(request: HttpRequest, service: str) -> dict[str, Any]:
    """The keys that a service declares, with their rules."""
    scope = READ if tokens.allows(token_of(request), READ) else RELEASE
    one = find_service(request, service, scope)
    keys = [_key_json(key) for key in one.config_keys.order_by("name")]
    return {"service": one.slug, "items": keys}


def _key_json(key: ConfigKey) -> dict[str, str]:
    return {
        "name": key.name,
        "is": key.presence,
        "across": key.across,
        "equals": key.equals,
        "matches": key.matches,
    }


@router.post(
    "/services/{service}/environments/{environment}/config",
    response={201: ReportSeen},
)
def report(
    request: HttpRequest, service: str, environment: str, new: NewReport
) -> Status[dict[str, Any]]:
    """Report an environment's configuration; on staging it is evidence for the gate `config`."""
    now = timezone.now()
    one = find_service(request, service, RELEASE)
    require(request, RELEASE, service=service, gate=CONFIG)
    place = find_environment(one, environment)
    place.service = one
    _check(one, new)
    release = _release(one, new.release)
    told = Told(
        root=new.root,
        made_with=new.made_with,
        fingerprints=new.fingerprints,
        rules=new.rules,
        at=new.at or now,
    )
    kept = keep(place, told, release=release, by=actor_of(request), now=now)
    return Status(201, _kept_json(kept, release))


def _check(service: Service, new: NewReport) -> None:
    """Raises Problem 422, with everything that does not fit the declared keys."""
    keys = list(service.config_keys.order_by("name"))
    if not keys:
        sentence = f"{service.slug} declares no config keys: there is nothing to check."
        raise Problem(422, [error("no_keys", sentence, pointer="/fingerprints")])
    judged = [key.name for key in keys if key.equals or key.matches]
    errors = [
        *_wrong("fingerprints", [key.name for key in keys], list(new.fingerprints), "config key"),
        *_wrong("rules", judged, list(new.rules), "key with a rule"),
    ]
    if not errors and root_of(new.fingerprints) != new.root:
        sentence = "This is not the root of these fingerprints."
        errors.append(error("wrong_root", sentence, pointer="/root"))
    if errors:
        raise Problem(422, errors)


def _wrong(part: str, wanted: list[str], given: list[str], what: str) -> list[Error]:
    wrong = wrong_names(wanted, given, what=what)
    return [
        error(code, sentence, pointer=pointer_to((part, name)))
        for name, (code, sentence) in wrong.items()
    ]


def _release(service: Service, version: str) -> Release | None:
    try:
        return release_for(service, version)
    except Refused as refused:
        raise Problem(422, [error("no_release", str(refused), pointer="/release")]) from None


def _kept_json(kept: Kept, release: Release | None) -> dict[str, Any]:
    place = kept.report.environment.slug
    is_given = kept.evidence is not None and release is not None
    return {
        "report": kept.report.pk,
        "environment": place,
        "root": kept.report.root,
        "at": kept.report.at.isoformat(),
        "outcome": kept.judgement.outcome,
        "differences": [one.as_json() for one in kept.judgement.differences],
        "unknown": list(kept.judgement.unknown),
        "gate": CONFIG if is_given else None,
        "release": release.version if is_given and release else None,
        "note": "" if is_given else _why_no_evidence(place),
    }


def _why_no_evidence(place: str) -> str:
    if place != CHECKED_IN:
        return f"Kept to be compared with: the gate is answered on {CHECKED_IN}."
    return "Kept, and evidence for no release: none waits to go out."
