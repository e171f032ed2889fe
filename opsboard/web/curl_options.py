"""The options of curl: what each means for a request, and which are refused with a reason. Pure."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from opsboard.services.rules import METHODS, check_header, refused_header

_SHELL_VARIABLE = re.compile(r"\$(?:\{\w+\}|[A-Za-z_]\w*|\()")


class UnreadableError(Exception):
    """What was pasted cannot be asked; the message is one sentence that says what to change."""


@dataclass(slots=True)
class Draft:
    """A command while its options are read, in the order they stand."""

    urls: list[str] = field(default_factory=list)
    method: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    is_json: bool = False
    is_head: bool = False
    is_get: bool = False
    follows: bool = False

    def has(self, name: str) -> bool:
        return any(given.lower() == name for given, _ in self.headers)


def read_letters(draft: Draft, letters: str, words: list[str]) -> None:
    """Short options may stand together, and the last one's value with them: -sSXPOST."""
    while letters:
        option, letters = f"-{letters[0]}", letters[1:]
        if option in _WITH_VALUE or option in _REFUSED or option in _IGNORED_WITH_VALUE:
            read_option(draft, option, [letters, *words] if letters else words)
            if letters:
                return
            letters = ""
        else:
            read_option(draft, option, words)


def read_option(draft: Draft, option: str, words: list[str]) -> None:
    if option in _REFUSED:
        raise UnreadableError(_REFUSED[option])
    if option in _FLAGS:
        _FLAGS[option](draft)
    elif option in _WITH_VALUE:
        _WITH_VALUE[option](draft, _value(option, words))
    elif option in _IGNORED_WITH_VALUE:
        _value(option, words)
    elif option not in _IGNORED:
        raise UnreadableError(f"curl's option {option[:40]} is not known here: leave it out.")


def _value(option: str, words: list[str]) -> str:
    if not words:
        raise UnreadableError(f"curl's option {option} has no value: paste the whole command.")
    return words.pop(0)


def _take_method(draft: Draft, value: str) -> None:
    if value.upper() not in METHODS:
        raise UnreadableError(f"Opsboard asks with {', '.join(METHODS)}; not with {value[:20]}.")
    draft.method = value.upper()


def _take_header(draft: Draft, value: str) -> None:
    if value.startswith("@"):
        raise UnreadableError(_no_file("the headers"))
    name, colon, said = value.partition(":")
    if not colon and value.endswith(";"):
        name, colon = value[:-1], ":"
    elif not said.strip() and colon:
        # For curl this takes a header away that it would write by itself.
        return
    if not colon:
        raise UnreadableError("Write the header after -H as 'Name: value'.")
    _add_header(draft, name.strip(), said.strip())


def _add_header(draft: Draft, name: str, value: str) -> None:
    if refused_header(name) or name.lower() == "accept-encoding":
        draft.left_out.append(name)
        return
    _refuse_shell_variable(value)
    if wrong := check_header(name, value):
        raise UnreadableError(wrong)
    draft.headers.append((name, value))


def _refuse_shell_variable(value: str) -> None:
    if found := _SHELL_VARIABLE.search(value):
        raise UnreadableError(
            f"{found[0]} is a variable of your shell, which Opsboard cannot know: paste its "
            "value. It is stored as a secret."
        )


def _take_data(draft: Draft, value: str) -> None:
    if value.startswith("@"):
        raise UnreadableError(_no_file("the body"))
    draft.data.append(value)


def _take_raw_data(draft: Draft, value: str) -> None:
    draft.data.append(value)


def _take_encoded_data(draft: Draft, value: str) -> None:
    name, equals, content = value.partition("=")
    if not equals and "@" in value:
        raise UnreadableError(_no_file("the body"))
    if not equals:
        name, content = "", value
    encoded = quote(content.encode("utf-8", "surrogatepass"), safe="")
    draft.data.append(f"{name}={encoded}" if name else encoded)


def _take_json(draft: Draft, value: str) -> None:
    _take_data(draft, value)
    draft.is_json = True


def _take_user(draft: Draft, value: str) -> None:
    if ":" not in value:
        raise UnreadableError("Write user and password after -u as user:password.")
    _refuse_shell_variable(value)
    encoded = base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()
    draft.headers.append(("Authorization", f"Basic {encoded}"))


def _take_cookie(draft: Draft, value: str) -> None:
    if "=" not in value:
        raise UnreadableError(_no_file("the cookies"))
    _add_header(draft, "Cookie", value)


def _no_file(what: str) -> str:
    return f"Opsboard cannot read {what} from your files: paste the content itself."


def _header(name: str, prefix: str = "") -> Callable[[Draft, str], None]:
    return lambda draft, value: _add_header(draft, name, prefix + value)


def _set(attribute: str) -> Callable[[Draft], None]:
    return lambda draft: setattr(draft, attribute, True)


_WITH_VALUE: dict[str, Callable[[Draft, str], None]] = {
    **dict.fromkeys(("-X", "--request"), _take_method),
    **dict.fromkeys(("-H", "--header"), _take_header),
    **dict.fromkeys(("-d", "--data", "--data-ascii", "--data-binary"), _take_data),
    "--data-raw": _take_raw_data,
    "--data-urlencode": _take_encoded_data,
    "--json": _take_json,
    **dict.fromkeys(("-u", "--user"), _take_user),
    **dict.fromkeys(("-b", "--cookie"), _take_cookie),
    **dict.fromkeys(("-A", "--user-agent"), _header("User-Agent")),
    **dict.fromkeys(("-e", "--referer"), _header("Referer")),
    "--oauth2-bearer": _header("Authorization", "Bearer "),
    "--url": lambda draft, value: draft.urls.append(value),
}
_FLAGS: dict[str, Callable[[Draft], None]] = {
    **dict.fromkeys(("-I", "--head"), _set("is_head")),
    **dict.fromkeys(("-G", "--get"), _set("is_get")),
    **dict.fromkeys(("-L", "--location"), _set("follows")),
}


def _options(text: str) -> frozenset[str]:
    return frozenset(text.split())


# They change what curl prints or how it connects, not what is asked.
_IGNORED = _options(
    "-s --silent -S --show-error -v --verbose -i --include -f --fail --fail-with-body "
    "--compressed -g --globoff -N --no-buffer -# --progress-bar --no-progress-meter -j "
    "-q --disable -4 --ipv4 -6 --ipv6 -0 --http1.0 --http1.1 --http2 --http2-prior-knowledge "
    "--http3 --tlsv1.2 --tlsv1.3 -1 --no-keepalive --tcp-nodelay --path-as-is -O --remote-name "
    "--basic --anyauth"
)
_IGNORED_WITH_VALUE = _options(
    "-m --max-time --connect-timeout -o --output -w --write-out -D --dump-header --retry "
    "--retry-delay --retry-max-time --max-redirs --limit-rate -c --cookie-jar --tls-max"
)
_NEVER_UNVERIFIED = (
    "Leave out -k: Opsboard never asks over a connection whose certificate does not verify. "
    "Install the authority's certificate on the machines that run Opsboard."
)
_OWN_CERTIFICATE = "Opsboard asks with no certificate of its own: leave out {}."
_REFUSED: dict[str, str] = {
    **dict.fromkeys(("-k", "--insecure"), _NEVER_UNVERIFIED),
    **dict.fromkeys(("-x", "--proxy"), "A probe uses no proxy: leave out -x."),
    **dict.fromkeys(
        ("-F", "--form", "--form-string"),
        "Opsboard cannot send the parts of a form (-F): send a body with --data-raw.",
    ),
    **dict.fromkeys(("-T", "--upload-file"), _no_file("the body")),
    **dict.fromkeys(("-K", "--config"), _no_file("the options")),
    **dict.fromkeys(("-n", "--netrc"), _no_file("user and password")),
    **{option: _OWN_CERTIFICATE.format(option) for option in ("-E", "--cert", "--key")},
    "--cacert": (
        "Leave out --cacert: install the authority's certificate on the machines that run Opsboard."
    ),
    **{
        option: f"Opsboard asks the host that the address names: leave out {option}."
        for option in ("--resolve", "--connect-to", "--unix-socket", "--interface")
    },
}
