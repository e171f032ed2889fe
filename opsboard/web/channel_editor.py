"""Adding and changing where alerts go. A webhook's signing secret is shown once, by us."""

import base64
import secrets
from datetime import datetime, timedelta

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from opsboard.alerts.models import Channel
from opsboard.alerts.planning import reconcile
from opsboard.people.audit import record
from opsboard.services.secrets import CannotDecrypt
from opsboard.web.access import actor_of
from opsboard.web.forms.channel_addresses import hint, where_to
from opsboard.web.forms.channels import ChannelForm
from opsboard.web.forms.wording import things_to_fix

KIND = "alert channel"
# How long the secret before a new one goes on signing, for receivers to change over.
BOTH_FOR = timedelta(hours=24)


def answer(request: HttpRequest, number: int | None) -> HttpResponse:
    """The form, or what became of it; `number` None: a new channel."""
    now = timezone.now()
    if request.method != "POST":
        return _page(request, ChannelForm(channel=_channel(number), now=now))
    with transaction.atomic():
        form = ChannelForm(request.POST, channel=_channel(number, to_change=True), now=now)
        if not form.is_valid() or not form.is_on_top():
            return _page(request, form)
        before = facts(form.channel) if form.channel else {}
        channel, secret = _store(form, now=now)
        record(
            actor_of(request),
            "changed" if before else "added",
            KIND,
            channel.name,
            now=now,
            before=before,
            after=facts(channel) | _renewed(form, secret, is_new=not before),
        )
    reconcile(now=now)
    if secret:
        # Answered to the POST itself: only this page ever holds the secret.
        context = {"channel": channel, "secret": secret, "now": now}
        return render(request, "alerts/channel_secret.html", context)
    messages.success(request, f"{channel.name} is saved. Send a test to see that it delivers.")
    if looks_wrong := hint(channel.kind, form.cleaned_data.get("address", "")):
        messages.warning(request, looks_wrong)
    return redirect("channel", channel.pk)


def facts(channel: Channel) -> dict[str, str]:
    """What the audit log keeps of a channel: never more of an address than the page shows."""
    return {
        "name": channel.name,
        "kind": channel.get_kind_display(),
        "hears about": channel.team.slug if channel.team else "all services",
        "address": where_to(channel) or "an address that cannot be decrypted",
        "first line": channel.subject_template,
    }


def _renewed(form: ChannelForm, secret: str, *, is_new: bool) -> dict[str, str]:
    """What was set anew though it reads the same: an address of the same host, a secret."""
    renewed = {"signing secret": "a new secret"} if secret else {}
    if form.cleaned_data.get("stop_old"):
        renewed["old signing secret"] = "stopped"
    if is_new or not form.cleaned_data.get("address"):
        return renewed
    return renewed | {"written anew": "the address"}


def _channel(number: int | None, *, to_change: bool = False) -> Channel | None:
    if number is None:
        return None
    channels = Channel.objects.filter(removed_at=None)
    return get_object_or_404(channels.select_for_update() if to_change else channels, pk=number)


def _store(form: ChannelForm, *, now: datetime) -> tuple[Channel, str]:
    """The stored channel, and its signing secret when that is a new one, else ""."""
    data = form.cleaned_data
    channel = form.channel or Channel(kind=data["kind"])
    channel.name, channel.team = data["name"], data["team"]
    channel.subject_template = data["subject_template"]
    kept = _secret(channel)
    wants_one = channel.kind == Channel.Kind.WEBHOOK and (not kept or data.get("new_secret"))
    new = _new_secret() if wants_one else ""
    if data.get("stop_old"):
        channel.previous_secret, channel.previous_until = "", None
    if new and kept:
        channel.previous_secret, channel.previous_until = channel.signing_secret, now + BOTH_FOR
    address = data.get("address", "")
    if address or new:
        channel.keep(address=address or channel.reveal_address(), signing_secret=new or kept)
        # What was said of the old address is not said of this one.
        channel.failing_since, channel.last_error = None, ""
    channel.save()
    return channel, new


def _secret(channel: Channel) -> str:
    """The stored signing secret; "" when there is none that can be decrypted."""
    try:
        return channel.reveal_secret()
    except CannotDecrypt:
        return ""


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _page(request: HttpRequest, form: ChannelForm) -> HttpResponse:
    context = {
        "form": form,
        "channel": form.channel,
        "to_fix": things_to_fix(len(form.errors)),
    }
    return render(request, "alerts/channel_form.html", context, status=422 if form.errors else 200)
