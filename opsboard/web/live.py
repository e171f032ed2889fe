"""The live parts of pages: the same template gives the whole page and the part alone."""

import hashlib
import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from opsboard.web.health import banner

TAG = "HX-PTag"
# Why Opsboard itself is not well: a page left open shows the banner too.
BANNER = "Opsboard-Banner"
# Masked anew in every answer: the same token never reads the same.
CSRF_VALUE = re.compile(rb'(name="csrfmiddlewaretoken" value=)"[^"]*"')


def is_poll(request: HttpRequest) -> bool:
    """Whether only the live part of the page is asked for."""
    return "HX-Request" in request.headers


def answer(
    request: HttpRequest, template: str, context: dict[str, Any], *, part: str
) -> HttpResponse:
    """The page; to a poll, its `{% partialdef part %}` alone, or 304 while that has not changed."""
    if not is_poll(request):
        return render(request, template, context)
    response = render(request, f"{template}#{part}", context)
    tag = _tag(response.content)
    if request.headers.get(TAG) == tag:
        response = HttpResponse(status=304)
    response[TAG] = tag
    if reason := banner():
        response[BANNER] = reason
    return response


def _tag(content: bytes) -> str:
    return hashlib.sha256(CSRF_VALUE.sub(rb"\1", content)).hexdigest()[:16]
