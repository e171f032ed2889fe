"""Sending evidence: what the board says to it, and the key that makes sending again harmless."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsboard.cli.answers import Object, objects, text, word
from opsboard.cli.asking import Board, Patience
from opsboard.cli.leaving import Refused
from opsboard.cli.readiness import WHOLES, WORDS

_KEY_USED = "key_used"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the gate and of the whole."""

    gate: str
    word: str
    whole: str
    reasons: tuple[str, ...]

    def json(self) -> Object:
        return {
            "gate": self.gate,
            "word": self.word,
            "readiness": self.whole,
            "reasons": list(self.reasons),
        }


def send(
    board: Board,
    service: str,
    release: str,
    evidence: Mapping[str, Any],
    *,
    stage: str,
    patience: Patience | None = None,
) -> Taken:
    """Once, however often it is tried. Raises Refused or NoAnswer."""
    key = key_of(os.environ, f"{service} {release}", f"{evidence['gate']}", stage)
    where = ("services", service, "releases", release, "evidence")
    try:
        said = board.post(*where, body=evidence, key=key, patience=patience)
    except Refused as refused:
        if _KEY_USED not in refused.codes:
            raise
        # The same attempt has run this gate before: this run is another answer.
        again = f"{key}-{evidence['started_at']}"
        said = board.post(*where, body=evidence, key=again, patience=patience)
    return _taken(said, str(evidence["gate"]))


def key_of(environ: Mapping[str, str], release: str, gate: str, stage: str) -> str:
    """Of the run, the attempt and the gate where CI names them, else of chance.

    The job and its machine count too: two jobs of a run may answer the same gate.
    """
    if run := environ.get("GITHUB_RUN_ID"):
        attempt = environ.get("GITHUB_RUN_ATTEMPT", "1")
        names = ("GITHUB_REPOSITORY", "GITHUB_JOB", "RUNNER_NAME")
        place = [environ.get(one, "") for one in names]
        return _key(f"gh-{run}-{attempt}", gate, stage, [release, *place])
    if job := environ.get("CI_JOB_ID"):
        # GitLab gives a job that is tried again another id.
        return _key(f"gl-{job}", gate, stage, [release, environ.get("CI_PROJECT_ID", "")])
    return f"{gate}-{stage}-{os.urandom(16).hex()}"


def _key(run: str, gate: str, stage: str, place: list[str]) -> str:
    digest = hashlib.sha256("\0".join([run, *place]).encode(errors="replace")).hexdigest()
    shown = re.sub(r"[^A-Za-z0-9-]", "", run)[:60]
    return f"{shown}-{gate}-{stage}-{digest[:16]}"


def _taken(said: Object, gate: str) -> Taken:
    one = said.get("gate")
    state = one if isinstance(one, dict) else said
    reasons = tuple(text(reason, "reason") for reason in objects(said, "reasons"))
    return Taken(gate, word(state, "word", WORDS), word(said, "readiness", WHOLES), reasons)
