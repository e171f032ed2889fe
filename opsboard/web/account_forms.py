"""What a person fills in to come in, and to change how."""

import unicodedata
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.models import User

from opsboard.people import joining, passwords
from opsboard.people.audit import Actor
from opsboard.people.models import Role
from opsboard.people.tries import Waiting
from opsboard.services.rules import check_name
from opsboard.web.words import SECOND, span


def password_field(label: str, autocomplete: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


def email_field() -> forms.EmailField:
    return forms.EmailField(
        label="E-mail",
        required=False,
        help_text="Sign-in links are mailed here when a mail server is set.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


def name_field(**attributes: str | bool) -> forms.CharField:
    return forms.CharField(
        label="Name", max_length=150, widget=forms.TextInput(attrs={**attributes})
    )


def check_password(name: str, password: str, *, by: Actor, now: datetime) -> User | None:
    """The person, or None. Raises ValidationError when somebody has to wait."""
    answer = passwords.check(name, password, by=by, now=now)
    if isinstance(answer, Waiting):
        seconds = seconds_until(answer.until, now)
        raise forms.ValidationError(
            f"Too many wrong passwords. Wait {span(seconds * SECOND)}, then try again, or ask an "
            "administrator for a sign-in link.",
            params={"seconds": seconds},
        )
    return answer


def seconds_until(until: datetime, now: datetime) -> int:
    """Whole seconds, rounded up: after them it is so."""
    return -((now - until) // timedelta(seconds=1))


class SignInForm(forms.Form):
    name = name_field(autocomplete="username", autofocus=True)
    password = password_field("Password", "current-password")

    def __init__(self, *args: Any, by: Actor, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by, self.now = by, now
        self.user: User | None = None

    def clean(self) -> None:
        name, password = self.cleaned_data.get("name"), self.cleaned_data.get("password")
        if not name or not password:
            return
        self.user = check_password(name, password, by=self.by, now=self.now)
        if self.user is None:
            raise forms.ValidationError(
                "Name and password do not belong together. "
                "Try again, or ask an administrator for a sign-in link."
            )

    def waits_seconds(self) -> int | None:
        """How long nothing is checked; None: nobody has to wait."""
        errors = self.non_field_errors().as_data()
        return next((error.params["seconds"] for error in errors if error.params), None)


class ForgottenForm(forms.Form):
    name = forms.CharField(
        label="Your name, or your e-mail address",
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


class NewPasswordForm(forms.Form):
    password = password_field("New password", "new-password")
    again = password_field("New password again", "new-password")

    def __init__(self, *args: Any, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["password"].help_text = "At least 8 characters. A few words make a good one."

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password, self.user)
        return password

    def clean(self) -> None:
        password, again = self.cleaned_data.get("password"), self.cleaned_data.get("again")
        if password and again and password != again:
            self.add_error("again", "This differs from the first one. Type the same twice.")


class FirstAdministratorForm(NewPasswordForm):
    name = name_field(autocomplete="name", autofocus=True)
    field_order = ["name", "password", "again"]

    def clean_name(self) -> str:
        return free_name(self.cleaned_data["name"])

    def clean_password(self) -> str:
        self.user = User(username=self.cleaned_data.get("name", ""))
        return super().clean_password()


class PasswordForm(NewPasswordForm):
    """With the password of now, unless the person came in by a link because they forgot it."""

    current = password_field("Password now", "current-password")
    field_order = ["current", "password", "again"]

    def __init__(
        self, *args: Any, asks_current: bool, by: Actor, now: datetime, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.by, self.now = by, now
        if not asks_current:
            del self.fields["current"]

    def clean_current(self) -> str:
        current: str = self.cleaned_data["current"]
        name = self.user.get_username() if self.user else ""
        # Counted like one on the sign-in page: a session that was left open guesses no faster.
        if check_password(name, current, by=self.by, now=self.now) is None:
            raise forms.ValidationError("This is not your password. Type the one you use now.")
        return current


class NewPersonForm(forms.Form):
    name = name_field(autocomplete="off", autofocus=True)
    email = email_field()
    role = forms.ChoiceField(
        label="Role",
        choices=Role.Name,
        help_text="Viewers look. Editors change what is watched. Administrators also add people.",
    )

    def clean_name(self) -> str:
        return free_name(self.cleaned_data["name"])


class PersonForm(forms.Form):
    role = forms.ChoiceField(label="Role", choices=Role.Name)
    email = email_field()
    may_sign_in = forms.BooleanField(
        label="May sign in",
        required=False,
        help_text="Taking this away ends all their sessions at once, and their password.",
    )


def free_name(name: str) -> str:
    """The name as it is kept. Tidying may make it longer: it is checked before and after."""
    tidied = joining.tidy(name)
    if not any(unicodedata.category(sign)[0] in "LNS" for sign in tidied):
        raise forms.ValidationError("A name needs a letter, a digit or a sign that can be seen.")
    if wrong := check_name(name) or check_name(tidied):
        raise forms.ValidationError(wrong)
    if joining.is_taken(name):
        raise forms.ValidationError(
            "Somebody has this name already. Add something that tells the two apart."
        )
    return tidied
