"""Who is told, and every alert as a row before it is a message.

A delivery is one alert to one channel; a message is what the channel is sent at once, one delivery
or several that began together. Both are written before anything is sent.
"""

import uuid
from datetime import datetime

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from opsboard.incidents.models import Incident
from opsboard.services.models import TIERS, CriticalPath, Environment, Service, Team
from opsboard.services.secrets import decrypt, encrypt
from opsboard.services.together import Moment


class ChannelQuerySet(models.QuerySet["Channel"]):
    def standing(self) -> "ChannelQuerySet":
        """Those not removed."""
        return self.filter(removed_at=None)

    def hearing(self, team: Team) -> "ChannelQuerySet":
        """Where no route says otherwise: a team's own channels, and those of everybody."""
        chosen = self.standing().exclude(kind=Channel.Kind.ADMINISTRATORS)
        return chosen.filter(Q(team=team) | Q(team=None))


class Channel(models.Model):
    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        DUTY = "duty", "E-mail to who is on duty"
        WEBHOOK = "webhook", "Webhook"
        SLACK = "slack", "Slack"
        TEAMS = "teams", "Microsoft Teams"
        PAGERDUTY = "pagerduty", "PagerDuty"
        APPRISE = "apprise", "Another kind, through Apprise (best effort)"
        ADMINISTRATORS = "admins", "E-mail to the administrators"

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind)
    # None: hears about every team's services.
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="channels"
    )
    # E-mail addresses, an address of the web, PagerDuty's routing key; encrypted, since an address
    # can be a permission. Empty for those on duty and the administrators: theirs are looked up.
    address = models.TextField(blank=True)
    # The webhook's signing secret, encrypted. Empty for other kinds.
    signing_secret = models.TextField(blank=True)
    # The secret before it, encrypted: messages are signed with both until `previous_until`.
    previous_secret = models.TextField(blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    # The first line of a message, with {{ names }}; "": as Opsboard writes it.
    subject_template = models.CharField(max_length=200, blank=True)
    # None: delivering, as far as is known.
    failing_since = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(kind="admins", removed_at=None),
                name="one_channel_of_the_administrators",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def keep(self, *, address: str, signing_secret: str = "") -> None:
        """Set the encrypted fields. Does not save."""
        self.address = encrypt(address, place="channel.address")
        self.signing_secret = (
            encrypt(signing_secret, place="channel.secret") if signing_secret else ""
        )

    def reveal_address(self) -> str:
        """Raises CannotDecrypt."""
        return decrypt(self.address, place="channel.address") if self.address else ""

    def reveal_secret(self) -> str:
        """Raises CannotDecrypt."""
        return decrypt(self.signing_secret, place="channel.secret") if self.signing_secret else ""

    def reveal_secrets(self, *, now: datetime) -> list[str]:
        """The secrets a message is signed with, the newest first. Raises CannotDecrypt."""
        secrets = [self.reveal_secret()] if self.signing_secret else []
        if self.previous_secret and self.previous_until and now < self.previous_until:
            secrets.append(decrypt(self.previous_secret, place="channel.secret"))
        return secrets


class AlertKind(models.TextChoices):
    """A page is for now, a notice for the day."""

    PAGE = "page", "Pages"
    NOTICE = "notice", "Notices"


class RouteQuerySet(models.QuerySet["Route"]):
    def standing(self) -> "RouteQuerySet":
        """Those not removed."""
        return self.filter(removed_at=None)


class Route(models.Model):
    """Which alerts go to which channels, when. Where none matches, the default route is taken."""

    name = models.CharField(max_length=120)
    # Each None or "" stands for all.
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="routes"
    )
    tier = models.PositiveSmallIntegerField(choices=TIERS, null=True, blank=True)
    environment_slug = models.SlugField(max_length=40, blank=True)
    kind = models.CharField(max_length=6, choices=AlertKind, blank=True)
    channels = models.ManyToManyField(Channel, related_name="routes")
    # When it holds, local to `zone`: days Monday 0 to Sunday 6, [] for all; both times None for the
    # whole day. From a later time to an earlier one is over midnight.
    days = models.JSONField(default=list, blank=True)
    from_time = models.TimeField(null=True, blank=True)
    to_time = models.TimeField(null=True, blank=True)
    zone = models.CharField(max_length=60, default="UTC")
    # Minutes between reminders until it is acknowledged, and how many at most. None: none.
    remind_every = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(5), MaxValueValidator(1440)]
    )
    remind_most = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    # Minutes unacknowledged after which the second step hears as well. None: there is none.
    escalate_after = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1440)]
    )
    escalate_to = models.ManyToManyField(Channel, blank=True, related_name="second_for")
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = RouteQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class SilenceQuerySet(models.QuerySet["Silence"]):
    def in_force(self, now: Moment) -> "SilenceQuerySet":
        return self.filter(starts_at__lte=now, ends_at__gt=now)


class Silence(models.Model):
    """Nobody is told of what it matches, until it ends. It always ends; observing goes on."""

    # Each None or "" stands for all.
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="silences"
    )
    service = models.ForeignKey(
        Service, on_delete=models.CASCADE, null=True, blank=True, related_name="silences"
    )
    path = models.ForeignKey(
        CriticalPath, on_delete=models.CASCADE, null=True, blank=True, related_name="silences"
    )
    environment_slug = models.SlugField(max_length=40, blank=True)
    reason = models.CharField(max_length=300)
    starts_at = models.DateTimeField()
    # Ended early: the moment that somebody ended it.
    ends_at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = SilenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gte=F("starts_at")), name="a_silence_ends")
        ]

    def __str__(self) -> str:
        return f"Silence: {self.reason}"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def open(self) -> "NoticeQuerySet":
        return self.filter(ended_at=None)


class Notice(models.Model):
    """Something to know within the day, told once. It is no incident and needs no acknowledging."""

    class Kind(models.TextChoices):
        WARNING = "warning", "A path warns"
        NO_DATA = "no_data", "A path has no data"
        CERTIFICATE = "cert", "A certificate runs out"
        # Of a team, once a week.
        RUNS_OUT = "runs_out", "Notes, sheets and gates run out"
        # For the administrators.
        OWN_ERROR = "own_error", "Opsboard cannot ask"
        OVERLOADED = "overload", "Opsboard is overloaded"
        LOCATION = "location", "A location is not drained"
        CHANNEL = "channel", "A channel does not deliver"

    kind = models.CharField(max_length=10, choices=Kind)
    # What it is about, so that it is told once: "probe 12", "certificate 3fa9... 7".
    key = models.CharField(max_length=200)
    service = models.ForeignKey(
        Service, on_delete=models.CASCADE, null=True, blank=True, related_name="notices"
    )
    path = models.ForeignKey(
        CriticalPath, on_delete=models.CASCADE, null=True, blank=True, related_name="notices"
    )
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, null=True, blank=True, related_name="notices"
    )
    # Of the list of a team; None: it is of a service, or of Opsboard.
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="notices"
    )
    # One sentence: what, where, what to do.
    text = models.TextField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=Q(ended_at=None), name="one_open_notice"
            )
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def is_for_administrators(self) -> bool:
        return self.kind in (
            Notice.Kind.OWN_ERROR,
            Notice.Kind.OVERLOADED,
            Notice.Kind.LOCATION,
            Notice.Kind.CHANNEL,
        )


class MessageQuerySet(models.QuerySet["Message"]):
    def under_way(self) -> "MessageQuerySet":
        """Neither taken by the far side nor given up."""
        return self.filter(delivered_at=None, dead_at=None)


class Message(models.Model):
    """What one channel is sent at once. It may be sent twice, with the same key; never lost.

    The messages of a channel go in the order they were made: none before an earlier one that is
    still under way. So what tells of an end never comes before what told of the beginning.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="messages")
    # What is said, fixed when it was made, so that every try says the same: see alerts.rules.
    content = models.JSONField()
    made_at = models.DateTimeField()
    next_attempt_at = models.BigIntegerField()
    leased_until = models.BigIntegerField(null=True)
    claim_id = models.BigIntegerField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    # Given up, after 72 h or at once when the far side refused it for good. Kept, and can be sent
    # again.
    dead_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["channel", "id"],
                condition=Q(delivered_at=None, dead_at=None),
                name="message_under_way",
            )
        ]

    def __str__(self) -> str:
        return f"message {self.key} to {self.channel}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def waiting(self) -> "DeliveryQuerySet":
        """In no message yet, and nothing holds them back."""
        return self.filter(message=None, held_at=None)

    def held(self) -> "DeliveryQuerySet":
        return self.filter(held_at__isnull=False)

    def told(self) -> "DeliveryQuerySet":
        """Those that are in a message that was sent, or that will be."""
        return self.filter(message__isnull=False)

    def hold(self, by: str, reason: str, *, now: datetime) -> int:
        """What waits is not sent for now, and says why. Returns how many those are."""
        return self.waiting().update(held_at=now, held_by=by, reason=reason)


class Delivery(models.Model):
    """One alert to one channel, with its outcome. It is written with what it tells of."""

    class Event(models.TextChoices):
        FAILING = "failing"
        RESOLVED = "resolved"
        # Nobody has acknowledged yet: again to the same, or to the second step.
        REMINDER = "reminder"
        ESCALATED = "escalated"
        # The incident of a service above another that is open: told once, for the day.
        LINKED = "linked"
        NOTICE = "notice"
        TEST = "test"

    class HeldBy(models.TextChoices):
        SILENCE = "silence", "Silenced"
        WINDOW = "window", "In maintenance"
        BELOW = "below", "Told by the incident below"
        FLAPPING = "flapping", "Flapping, told once"
        # What a restored backup, or a channel that was removed, left untold.
        PAST = "past", "Of the past"
        ENDED = "ended", "Over before it was told"

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    incident = models.ForeignKey(
        Incident, on_delete=models.CASCADE, null=True, blank=True, related_name="deliveries"
    )
    notice = models.ForeignKey(
        Notice, on_delete=models.CASCADE, null=True, blank=True, related_name="deliveries"
    )
    event = models.CharField(max_length=10, choices=Event)
    # Which beginning of the incident it tells of, and which of several reminders it is.
    opening = models.PositiveSmallIntegerField(default=1)
    number = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField()
    # Microseconds on the database's clock before which it is not sent.
    wanted_at = models.BigIntegerField()
    # What it says in one line, when it is of no incident and no notice: a test.
    text = models.TextField(blank=True)
    # None: in no message yet.
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, null=True, blank=True, related_name="deliveries"
    )
    # Held back on purpose: by what, and why in one sentence. None: it is not.
    held_at = models.DateTimeField(null=True, blank=True)
    held_by = models.CharField(max_length=10, choices=HeldBy, blank=True)
    reason = models.TextField(blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "incident", "event", "opening", "number"],
                condition=Q(incident__isnull=False),
                name="one_delivery_of_an_event",
            ),
            models.UniqueConstraint(
                fields=["channel", "notice"],
                condition=Q(notice__isnull=False),
                name="one_delivery_of_a_notice",
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel", "wanted_at"],
                condition=Q(message=None, held_at=None),
                name="delivery_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.channel}"

    @property
    def kind(self) -> AlertKind:
        is_notice = self.event in (Delivery.Event.LINKED, Delivery.Event.NOTICE)
        return AlertKind.NOTICE if is_notice else AlertKind.PAGE

    def outcome(self) -> str:
        """One of "held", "waiting", "trying again", "given up", "delivered"."""
        if self.held_at:
            return "held"
        if self.message is None:
            return "waiting"
        if self.message.delivered_at:
            return "delivered"
        if self.message.dead_at:
            return "given up"
        return "trying again" if self.message.attempts else "waiting"
