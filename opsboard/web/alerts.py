"""Alert channels and what was sent."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opsboard.alerts.models import Channel, Message
from opsboard.alerts.planning import plan_test
from opsboard.alerts.replaying import replay
from opsboard.people.audit import record
from opsboard.web import channel_editor
from opsboard.web.access import actor_of, may_edit, requires, signed_in
from opsboard.web.alerts_page import read_alerts
from opsboard.web.message_pages import read_channel_page, read_message_page
from opsboard.web.words import person_name


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    context = read_alerts(may_edit=may_edit(request), now=now)
    return render(request, "alerts/index.html", context | {"now": now})


@requires("editor")
@require_POST
def test(request: HttpRequest, channel: int) -> HttpResponse:
    """Send a test by the road of a real alert: what becomes of it is in the list."""
    one = get_object_or_404(Channel, pk=channel, removed_at=None)
    now = timezone.now()
    with transaction.atomic():
        plan_test(one, now=now, by=person_name(signed_in(request)))
        record(actor_of(request), "sent a test to", channel_editor.KIND, one.name, now=now)
    messages.success(request, f"A test to {one.name} is on its way. What becomes of it is below.")
    return redirect("alerts")


@requires("editor")
@require_POST
def remove(request: HttpRequest, channel: int) -> HttpResponse:
    """Take a channel off: nothing more is planned for it. What was sent stays in the list."""
    one = get_object_or_404(Channel, pk=channel, removed_at=None)
    now = timezone.now()
    with transaction.atomic():
        one.removed_at = now
        one.save(update_fields=["removed_at"])
        before = channel_editor.facts(one)
        record(actor_of(request), "removed", channel_editor.KIND, one.name, now=now, before=before)
    messages.success(request, f"{one.name} is removed: it hears nothing more.")
    return redirect("alerts")


@requires("viewer")
@require_safe
def channel_page(request: HttpRequest, channel: int) -> HttpResponse:
    """Whether a channel delivers, what it was sent, and how the next alert will look in it."""
    now = timezone.now()
    channels = Channel.objects.select_related("team").filter(removed_at=None)
    one = get_object_or_404(channels, pk=channel)
    context = read_channel_page(one, may_edit=may_edit(request), now=now)
    return render(request, "alerts/channel.html", context | {"now": now})


@requires("viewer")
@require_safe
def message_page(request: HttpRequest, key: UUID) -> HttpResponse:
    """What one message said, to whom, what became of it, and every alert in it."""
    message = get_object_or_404(Message.objects.select_related("channel__team"), key=key)
    context = read_message_page(message, may_edit=may_edit(request))
    return render(request, "alerts/message.html", context | {"now": timezone.now()})


@requires("editor")
@require_POST
def send_again(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take up a message that was given up: the same, under the same key."""
    now = timezone.now()
    with transaction.atomic():
        message = get_object_or_404(Message.objects.select_related("channel"), key=key)
        if not (why_not := replay(message, now=now)):
            subject = f"{message.channel.name}: {message.content.get('subject', '')}"[:300]
            record(actor_of(request), "sent again", "message", subject, now=now)
    if why_not:
        messages.warning(request, why_not)
    else:
        messages.success(request, f"It is on its way to {message.channel.name} again.")
    return redirect("message", key)


# Forms


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("address")
def new(request: HttpRequest) -> HttpResponse:
    return channel_editor.answer(request, None)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("address")
def edit(request: HttpRequest, channel: int) -> HttpResponse:
    return channel_editor.answer(request, channel)
