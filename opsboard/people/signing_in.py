"""Who has signed in, read together with what they may do: every page asks for both."""

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User


class WithRole(ModelBackend):
    def get_user(self, user_id: int) -> User | None:
        user = User.objects.select_related("role").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
