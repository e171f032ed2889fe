"""Answers that carry their own tag: who has it already is told so, and sent nothing."""

import hashlib
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag


def or_not_modified(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The response with its ETag, or 304 when the request's If-None-Match names it."""
    etag = quote_etag(hashlib.sha256(response.content).hexdigest()[:32])
    response["ETag"] = etag
    return cast("HttpResponse", get_conditional_response(request, etag=etag, response=response))
