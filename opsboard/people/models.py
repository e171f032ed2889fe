"""Who may do what, and the one-time links that let people in."""

import hashlib
from datetime import datetime

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q

from opsboard.people import roles

BUILT_IN_VIEWER = "opsboard-probe"


class Role(models.Model):
    """What one person may do. A user without this row may do nothing."""

    class Name(models.TextChoices):
        VIEWER = roles.VIEWER, "Viewer"
        EDITOR = roles.EDITOR, "Editor"
        ADMINISTRATOR = roles.ADMINISTRATOR, "Administrator"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="role"
    )
    name = models.CharField(max_length=13, choices=Name)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(name__in=roles.ROLES), name="a_role_is_one_of_three")
        ]

    def __str__(self) -> str:
        return self.name

    def allows(self, needed: str) -> bool:
        return roles.allows(self.name, needed)


class SignInLinkQuerySet(models.QuerySet["SignInLink"]):
    def usable(self, now: datetime) -> "SignInLinkQuerySet":
        """Unused, in time, and not for somebody who was disabled since."""
        return self.filter(Q(user=None) | Q(user__is_active=True), used_at=None, expires_at__gt=now)

    def of(self, token: str) -> "SignInLinkQuerySet":
        return self.filter(digest=digest(token))


class SignInLink(models.Model):
    """One way in, for one use. Only the digest of its token is kept."""

    # None: makes the first administrator.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="sign_in_links",
    )
    # SHA-256, in hexadecimal. The token has 256 bits of chance: no salt is needed.
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects = SignInLinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"sign-in link of {self.user or 'the first administrator'}"


class LinkRequest(models.Model):
    """Somebody on the sign-in page asks for a link by mail. Kept for a day, to bound the rate."""

    # None: nobody of that name can be mailed to. Written all the same, which takes as long.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    network = models.CharField(max_length=45)
    asked_at = models.DateTimeField(db_index=True)
    # How often a mail server was asked to take the mail.
    tries = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"link asked for by {self.user or 'somebody unknown'}"


class PasswordTry(models.Model):
    """A password that was wrong, or is being checked now. Kept while it slows signing in."""

    at = models.DateTimeField(db_index=True)
    # A keyed digest of the name: what people typed that is no name is not kept in the clear.
    account = models.CharField(max_length=64)
    network = models.CharField(max_length=45)

    class Meta:
        indexes = [
            models.Index(fields=["account", "at"], name="tries_of_an_account"),
            models.Index(fields=["network", "at"], name="tries_from_a_network"),
        ]

    def __str__(self) -> str:
        return f"password tried from {self.network}"


class AuditEntry(models.Model):
    """Who changed what, when and from where. Append only: the database itself refuses the rest."""

    class Via(models.TextChoices):
        PAGES = "pages", "on the pages"
        APPLY = "apply", "by a board file"
        COMMAND = "command", "on the command line"
        BOARD = "board", "by Opsboard itself"
        API = "api", "by a token"

    at = models.DateTimeField(db_index=True)
    # The name is kept beside the person: it stays true when the person is renamed. None: nobody
    # signed in; `who` then says what acted.
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
    )
    who = models.CharField(max_length=150)
    via = models.CharField(max_length=7, choices=Via)
    address = models.GenericIPAddressField(null=True, blank=True)
    # Which token, by its name and prefix, where `person` acted by one. None, and not "": a column
    # that may not be null would make the table anew on SQLite, without its triggers.
    token = models.CharField(max_length=140, null=True, blank=True)  # noqa: DJ001
    # A verb in the past: "added", "changed", "removed", "restored", "signed in".
    act = models.CharField(max_length=40)
    # "service" and "fares-api"; "path" and "fares-api/price-a-crossing"; "person" and a name.
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=300)
    # A list of {"field", "old", "new"}, texts; secrets are masked before they come here.
    changes = models.JSONField(default=list)

    class Meta:
        indexes = [
            models.Index(fields=["kind", "subject"], name="audit_of_a_subject"),
            models.Index(fields=["who", "at"], name="audit_of_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.who} {self.act} {self.kind} {self.subject}"

    @property
    def how(self) -> str:
        """ "on the pages", "by the token CI of fares (Ab12Cd34…)"."""
        return f"by the token {self.token}" if self.token else self.get_via_display()


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self, now: datetime) -> "ApiTokenQuerySet":
        """In time, not revoked, and of somebody who may still sign in."""
        return self.filter(revoked_at=None, expires_at__gt=now, made_by__is_active=True)


class ApiToken(models.Model):
    """What a program shows to be let in. The token itself is shown once; its digest is kept.

    It never allows more than its maker may do at the time.
    """

    name = models.CharField(max_length=120)
    # The first characters of its random part: what lists, the audit log and errors name it by.
    prefix = models.CharField(max_length=8, unique=True)
    # SHA-256, in hexadecimal. The token has 178 bits of chance: no salt is needed.
    digest = models.CharField(max_length=64, unique=True)
    # Of opsboard.people.tokens.SCOPES.
    scopes = models.JSONField(default=list)
    # The services it may speak of, by their names in addresses. []: every one.
    services = models.JSONField(default=list, blank=True)
    # The gates it may give evidence for. []: every one.
    gates = models.JSONField(default=list, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # To the minute. None: never used.
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = ApiTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class TokenMinute(models.Model):
    """How many requests a token made in a minute. Kept while it bounds the rate."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+")
    # Minutes since 1970 UTC.
    minute = models.BigIntegerField()
    requests = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token", "minute"], name="one_count_of_a_minute")
        ]

    def __str__(self) -> str:
        return f"{self.requests} requests of {self.token}"


class AnsweredRequest(models.Model):
    """A request with an Idempotency-Key, and its answer: the same request again gets the same.

    Written in the transaction of what the request did, so that neither stands without the other.
    """

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    # SHA-256 of method, address and body, in hexadecimal.
    digest = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="one_answer_to_a_key")]

    def __str__(self) -> str:
        return f"answer to {self.key}"


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def role_of(user: object) -> Role | None:
    """The role of a signed-in person; None for nobody, and for a user who was given none."""
    if not isinstance(user, User) or not user.is_active:
        return None
    return getattr(user, "role", None)


def people() -> models.QuerySet[User]:
    """Everybody with a role, by name, without Opsboard's own probe."""
    return (
        User.objects.filter(role__isnull=False)
        .exclude(username=BUILT_IN_VIEWER)
        .select_related("role")
        .order_by("username")
    )


def administrators() -> models.QuerySet[User]:
    """The administrators who can sign in, by name."""
    return (
        people()
        .filter(role__name=roles.ADMINISTRATOR, is_active=True)
        .exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    )


def built_in_viewer() -> User:
    """The viewer as whom Opsboard probes its own pages. Nobody can sign in as it."""
    user = User.objects.select_related("role").filter(username=BUILT_IN_VIEWER).first()
    if user is None:
        user, _ = User.objects.get_or_create(
            username=BUILT_IN_VIEWER, defaults={"password": make_password(None)}
        )
    if role_of(user) is None:
        Role.objects.update_or_create(user=user, defaults={"name": roles.VIEWER})
        user.refresh_from_db()
    return user
