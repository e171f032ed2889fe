"""The examples of the page for services run as they stand there."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import RequestFactory

from opsboard import instrument
from opsboard.instrument.config import config_root

README = (Path(instrument.__file__).parent / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
NAMES = ["DATABASE_URL", "DEBUG", "SECRET_KEY"]
ENVIRON = {
    "OPSBOARD_CONFIG_KEY": "k" * 32,
    "GIT_COMMIT": "ab" * 20,
    "DATABASE_URL": "sqlite:///x",
    "DEBUG": "false",
}


def from_fastapi(made: dict[str, Any]) -> Any:
    return made["version"]()


def from_flask(made: dict[str, Any]) -> Any:
    return made["app"].test_client().get("/version").json


def from_django(made: dict[str, Any]) -> Any:
    view = made["urlpatterns"][0].callback
    return json.loads(view(RequestFactory().get("/version")).content)


@pytest.mark.parametrize(
    ("number", "answer"), [(0, from_fastapi), (1, from_flask), (2, from_django)]
)
def test_an_example_tells_commit_and_config_root(
    number: int, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SECRET_KEY", raising=False)
    made: dict[str, Any] = {"__name__": "example"}
    exec(EXAMPLES[number], made)  # noqa: S102
    root = config_root("k" * 32, NAMES, ENVIRON)
    assert answer(made) == {"commit": "ab" * 20, "config_root": root}


def test_the_root_is_made_as_the_page_says() -> None:
    from hashlib import sha256

    from opsboard.instrument.config import fingerprint

    told = fingerprint("k" * 32, "DEBUG", "false")
    said = f"opsboard-config-root-v1\nDATABASE_URL\0not set\nDEBUG\0{told}\n"
    root = config_root("k" * 32, ["DEBUG", "DATABASE_URL"], {"DEBUG": "false"})
    assert root == sha256(said.encode()).hexdigest()
