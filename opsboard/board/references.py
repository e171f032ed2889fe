"""${NAME}: a secret that whoever runs apply has in the environment of the command. Pure.

It may stand in the value of a variable, whole or inside. Where a request is described it is
refused, so that nobody sends the letters ${TOKEN} by mistake. `$${` stands for the letters `${`.
"""

import re
from collections.abc import Mapping

_SIGN = re.compile(r"\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)\})?")

NOT_HERE = (
    "${NAME} is allowed in variables only: give the environment a variable, and write "
    "{{ NAME }} here. For the letters themselves write $${."
)


def check_reference(written: str) -> str:
    """Why a variable's value cannot be resolved, or ""."""
    if any(sign[0] == "${" for sign in _SIGN.finditer(written)):
        return "Write a secret as ${NAME}, with letters, digits and _. For the letters write $${."
    return ""


def check_no_reference(written: str) -> str:
    return NOT_HERE if any(sign[0] != "$${" for sign in _SIGN.finditer(written)) else ""


def names_of(written: str) -> list[str]:
    """The names that have to be set, each once, in order."""
    return list(dict.fromkeys(sign[1] for sign in _SIGN.finditer(written) if sign[1]))


def plain(written: str) -> str:
    """What a text means that refers to nothing."""
    return written.replace("$${", "${") if "$${" in written else written


def escape(text: str) -> str:
    """`plain` gives `text` back."""
    return text.replace("${", "$${")


def resolve(written: str, environ: Mapping[str, str]) -> str | None:
    """The value, or None when a name in it is not set, or is set to nothing."""
    if not all(environ.get(name) for name in names_of(written)):
        return None
    return _SIGN.sub(lambda sign: environ[sign[1]] if sign[1] else "${", written)


def name_for(service: str, environment: str, variable: str) -> str:
    """The NAME under which a secret that was typed on a page is exported.

    Two underscores between the parts: no two secrets of a board get the same name.
    """
    name = "__".join(
        (*(slug.upper().replace("-", "_") for slug in (service, environment)), variable)
    )
    return name if name[0].isalpha() else f"_{name}"
