"""How durations, sizes and foreign text are written in sentences for people."""

_LONGEST = 80


def lasting(microseconds: int) -> str:
    """10_000_000 is "10 s", 800_000 is "800 ms"."""
    if microseconds < 1_000_000:
        return f"{max(microseconds, 0) // 1000} ms"
    return f"{round(microseconds / 1_000_000, 1):g} s"


def sized(count: int) -> str:
    """1048576 is "1 MiB", 1536 is "1.5 KiB", 5 is "5 bytes"."""
    for unit, size in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{round(count / size, 1):g} {unit}"
    return "1 byte" if count == 1 else f"{count} bytes"


def shown(text: str) -> str:
    """Text from the far side, fit for a sentence: printable, escaped, cut to 80 characters."""
    cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in cut)
