"""Reading what a person pastes: an address, or the curl command that asks it. Pure; no shell."""

import re
import shlex
from dataclasses import dataclass

from opsboard.services.addresses import check_url
from opsboard.services.rules import MOST_HEADERS
from opsboard.web.curl_options import Draft, UnreadableError, read_letters, read_option

LONGEST = 64 * 1024
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """One request, as it was pasted: secrets are still in it."""

    method: str = "GET"
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    follows_redirects: bool = True
    # Names of headers that were pasted, but that Opsboard writes itself.
    left_out: tuple[str, ...] = ()


def read_pasted(text: str) -> Pasted:
    """The request that `text` describes. Raises UnreadableError, and nothing else."""
    text = text.strip()
    if not text:
        raise UnreadableError("Paste an address or a curl command.")
    if len(text) > LONGEST:
        raise UnreadableError("This is longer than 64 KiB: paste one curl command.")
    if "\0" in text:
        raise UnreadableError("This holds a NUL character: paste text only.")
    pasted = _read_command(text) if _COMMAND.match(text) else Pasted(url=text)
    if wrong := check_url(pasted.url):
        raise UnreadableError(wrong)
    return pasted


_COMMAND = re.compile(r"(?:\$\s+)?curl(?:\.exe)?(?=\s|$)")
_CONTINUED = re.compile(r"\\\r?\n")
# Bash's $'…', which browsers write when a body holds a quote.
_ANSI = re.compile(r"(?<=\s)\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_SHELL = frozenset({"|", "||", "&", "&&", ";", ">", ">>", "<", "2>", "2>&1", "2>/dev/null"})


def _words(text: str) -> list[str]:
    one_line = _CONTINUED.sub(" ", _COMMAND.sub("curl", text, count=1))
    plain = _ANSI.sub(lambda found: shlex.quote(_unescaped(found[1])), one_line)
    try:
        words = shlex.split(plain)
    except ValueError:
        raise UnreadableError(
            "A quote of the curl command is not closed: paste the whole command."
        ) from None
    if stray := next((word for word in words if word in _SHELL), None):
        raise UnreadableError(f"Paste only the curl command: leave out {stray} and what follows.")
    return words[1:]


def _unescaped(text: str) -> str:
    def sign(found: re.Match[str]) -> str:
        code = found[1]
        if code[0] in "ux" and len(code) > 1:
            return chr(int(code[1:], 16))
        return _ESCAPES.get(code, code)

    return _ESCAPE.sub(sign, text)


def _read_command(text: str) -> Pasted:
    draft = Draft()
    words = _words(text)
    while words:
        _read_word(draft, words)
    return _finish(draft)


def _read_word(draft: Draft, words: list[str]) -> None:
    word = words.pop(0)
    if word == "--":
        draft.urls.extend(words)
        words.clear()
    elif word.startswith("--"):
        read_option(draft, word, words)
    elif word.startswith("-") and len(word) > 1:
        read_letters(draft, word[1:], words)
    else:
        draft.urls.append(word)


def _finish(draft: Draft) -> Pasted:
    if len(draft.urls) != 1:
        wanted = "one address" if draft.urls else "the address too"
        raise UnreadableError(f"Paste a curl command with {wanted}.")
    if len(draft.headers) > MOST_HEADERS:
        raise UnreadableError(f"A request has at most {MOST_HEADERS} headers.")
    url, body = _with_scheme(draft.urls[0]).partition("#")[0], _body(draft)
    if draft.is_get and body:
        url, body = f"{url}{'&' if '?' in url else '?'}{body}", ""
    return Pasted(
        method=draft.method or _usual_method(draft, body),
        url=url,
        headers=(*draft.headers, *_content_headers(draft, body)),
        body=body,
        follows_redirects=draft.follows,
        left_out=tuple(dict.fromkeys(draft.left_out)),
    )


def _with_scheme(url: str) -> str:
    """curl takes an address without a scheme for http."""
    return url if "://" in url else f"http://{url}"


def _body(draft: Draft) -> str:
    body = ("" if draft.is_json else "&").join(draft.data)
    if any(0xD800 <= ord(sign) <= 0xDFFF or sign == "\0" for sign in body):
        raise UnreadableError("The body holds a character that cannot be stored: take it out.")
    return body


def _usual_method(draft: Draft, body: str) -> str:
    if draft.is_head:
        return "HEAD"
    return "POST" if body or (draft.data and not draft.is_get) else "GET"


def _content_headers(draft: Draft, body: str) -> list[tuple[str, str]]:
    """The headers that curl adds by itself."""
    if draft.is_json:
        wanted = [("Content-Type", JSON), ("Accept", JSON)]
    else:
        wanted = [("Content-Type", FORM)] if body else []
    return [(name, value) for name, value in wanted if not draft.has(name.lower())]
