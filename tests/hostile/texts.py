"""What hostile people and far sides write, where a name, a sentence or a reply was asked for."""

# Those with this element or attribute in a page came from a text, and from no template.
ELEMENT = "x-evil"

# Short enough for every field; each is written into the whole board at once.
WRITTEN = {
    "markup": (
        f"\"'></{ELEMENT}><{ELEMENT} onclick=alert(1)></textarea></title><script>alert(1)</script>"
    ),
    "image": f"<img src=x onerror=alert(1) {ELEMENT}>&lt;b&gt;<!-- --><svg/onload=alert(1)>",
    "templates": "{{ 7*7 }}{% include 'x' %}{# y #}${7*7}#{7}%(a)s{0.__class__} %s {subject}",
    "formula": "=cmd()|' /C calc'!A0 +1 @SUM(1) -2 %0d%0aSet-Cookie: a=b %_\\",
    "markdown": "](javascript:alert(1)) [a](data:text/html,x) ![b](//x.example/c.png) **d** `e` #",
    "signs": (
        "\u200b\u200d \U0001f6a2\U0001f469\u200d\U0001f680 \u05e2\u05d1\u05e8 e\u0301\ufffd "
        "\U000e0041 z\u0334"
    ),
    "chat": "<!channel> <@U1|you> *b* _i_ ~s~ &amp; <https://x.example|click> @all",
}
# One word that no line holds.
LONG = "w" * 90

# What no line of a form takes, and what no database keeps: each is refused in a sentence.
NEVER_IN_A_NAME = {
    "a NUL": "a\x00b",
    "a lone surrogate": "a\ud800b",
    "an escape": "a\x1b[31mb",
    "a reversed direction": "a\u202eb",
    "an isolate": "a\u2066b",
    "a line separator": "a\u2028b",
    "a line feed": "a\nb",
    "a carriage return": "a\rb",
    "ten thousand": "a" * 10_000,
}
NEVER_IN_A_TEXT = {
    name: NEVER_IN_A_NAME[name]
    for name in ("a NUL", "a lone surrogate", "an escape", "a reversed direction", "an isolate")
}
