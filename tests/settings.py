"""The embedded settings over a directory of this test run; DATABASE_URL and REDIS_URL switch."""

import atexit
import os
import shutil
import tempfile

if "OPSBOARD_DATA" not in os.environ:
    os.environ["OPSBOARD_DATA"] = tempfile.mkdtemp(prefix="opsboard-tests-")
    atexit.register(shutil.rmtree, os.environ["OPSBOARD_DATA"], ignore_errors=True)

from opsboard.settings import *  # noqa: F403

# For its command `flush`.
INSTALLED_APPS += ["tests"]  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # In memory, a connection that a thread of the live server opened is never closed again.
    DATABASES["default"]["TEST"] = {"NAME": f"{DATA}/tests.sqlite3"}  # noqa: F405

# Innermost: it sees what the views answered.
MIDDLEWARE += ["tests.documented.AnswerAsDocumented"]  # noqa: F405
