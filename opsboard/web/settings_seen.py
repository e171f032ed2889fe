"""Every setting and its value now. Nothing is changed here: settings come from the environment."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from opsboard.web.access import requires
from opsboard.web.settings_page import environment, read_settings


@requires("administrator")
@require_safe
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    context = read_settings(environment(), now=timezone.now())
    return render(request, "settings/index.html", context)
