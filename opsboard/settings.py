"""Every setting, in one file: what differs between places on top, then Django, then Celery.

With OPSBOARD_DATA (set by `script/up`) this is the embedded board: SQLite and keys live in that
directory. Without it this is production, which refuses to start when a secret, the allowed hosts
or the address is missing. A variable NAME may also be given as NAME_FILE, a file that holds it.
"""

import contextlib
import os
import secrets
import tomllib
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from opsboard.checked_settings import (
    MOST_DAYS,
    allowed,
    broker,
    checked_address,
    checked_canary,
    database,
    days,
    env,
    field_keys,
    mail_server,
    networks,
    number,
    required,
    whole_number,
)
from opsboard.services.rules import check_slug

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
DATA: str = env.str("OPSBOARD_DATA", default="")
EMBEDDED = bool(DATA)


def kept_secret(name: str, make: str) -> str:
    """Read a key of the embedded board, making it at the first start, for its owner's eyes only."""
    path = Path(DATA) / name
    if not path.exists():
        made = path.with_name(f".{name}.{os.getpid()}")
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(make)
        # A link appears whole or not at all; whoever comes second reads the first one's key.
        with contextlib.suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
    return path.read_text().strip()


# What differs between places ---------------------------------------------------------------

if EMBEDDED:
    SECRET_KEY = env.str("SECRET_KEY", default="") or kept_secret(
        "secret_key", secrets.token_urlsafe(50)
    )
    FIELD_KEYS = (
        env.str("OPSBOARD_FIELD_KEYS", default="")
        or kept_secret("field_keys", Fernet.generate_key().decode())
    ).split(",")
    HOST = env.str("OPSBOARD_HOST", default="127.0.0.1")
    PORT = whole_number("OPSBOARD_PORT", 8000, most=65_535)
    _address = f"{HOST}:{PORT}"
    URL = env.str("OPSBOARD_URL", default=f"http://{_address}")
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"])
    EGRESS_ALLOW = env.str("OPSBOARD_EGRESS_ALLOW", default="")
    # Listening everywhere is not an address to ask.
    SELF_URL = f"http://{_address}".replace("//0.0.0.0:", "//127.0.0.1:")
else:
    SECRET_KEY = required("SECRET_KEY")
    FIELD_KEYS = required("OPSBOARD_FIELD_KEYS").split(",")
    URL = required("OPSBOARD_URL").rstrip("/")
    ALLOWED_HOSTS = [host.strip() for host in required("ALLOWED_HOSTS").split(",")]
    EGRESS_ALLOW = required("OPSBOARD_EGRESS_ALLOW")
    SELF_URL = env.str("OPSBOARD_SELF_URL", default=URL).rstrip("/")
    if len(SECRET_KEY) < 50:
        raise ImproperlyConfigured("SECRET_KEY is shorter than 50 characters. Make a longer one.")

EGRESS_ALLOW, FIELD_KEYS = allowed(EGRESS_ALLOW), field_keys(FIELD_KEYS)

DEBUG = env.bool("DEBUG", default=False)
if DEBUG:
    raise ImproperlyConfigured("DEBUG is on. Opsboard does not start with it: unset DEBUG.")

HTTPS = URL.startswith("https://")
# The place this process probes from, and all places that have a worker: sheets may name these.
LOCATION = env.str("OPSBOARD_LOCATION", default="default")
LOCATIONS = env.list("OPSBOARD_LOCATIONS", default=[LOCATION])
if wrong_places := [name for name in [LOCATION, *LOCATIONS] if check_slug(name)]:
    raise ImproperlyConfigured(
        f"{wrong_places[0]!r} is not the name of a location: use small letters, digits and single "
        "hyphens, as in oslo-1, in OPSBOARD_LOCATION and OPSBOARD_LOCATIONS."
    )
if LOCATION not in LOCATIONS:
    raise ImproperlyConfigured(
        f"OPSBOARD_LOCATION is {LOCATION}, which OPSBOARD_LOCATIONS does not list: nothing would "
        "set its probes off. Add it there."
    )
# Where a path is asked from that names no location.
HOME_LOCATION: str = LOCATIONS[0]
# Addresses that answer as long as the network of the place is alive; asked only when in doubt.
CANARIES = [checked_canary(canary) for canary in env.list("OPSBOARD_CANARIES", default=[])]
# Forwarded addresses and schemes are believed from these networks only.
TRUSTED_PROXIES = networks("OPSBOARD_TRUSTED_PROXIES")
KEEP_OBSERVATIONS_DAYS = whole_number("OPSBOARD_KEEP_OBSERVATIONS_DAYS", 30, most=MOST_DAYS)
KEEP_ROLLUPS_DAYS = whole_number("OPSBOARD_KEEP_ROLLUPS_DAYS", 730, most=MOST_DAYS)
# How long a look at a rollback note (of a tier 1 service, of others) and at a sheet lasts.
NOTE_LASTS_DAYS_TIER_1 = days("OPSBOARD_NOTE_LASTS_DAYS_TIER_1", 30)
NOTE_LASTS_DAYS = days("OPSBOARD_NOTE_LASTS_DAYS", 90)
SHEET_LASTS_DAYS = days("OPSBOARD_SHEET_LASTS_DAYS", 90)
# How long the answers to a release's gates last, where a team has not chosen otherwise.
INTEGRATION_LASTS_SECONDS = number("OPSBOARD_INTEGRATION_LASTS_SECONDS", 24 * 3600.0)
# A config check where the running configuration is not observed.
CONFIG_LASTS_SECONDS = number("OPSBOARD_CONFIG_LASTS_SECONDS", 4 * 3600.0)
# How long the paths of staging have to be passing or warning.
GREEN_FOR_SECONDS = number("OPSBOARD_GREEN_FOR_SECONDS", 600.0)
REHEARSAL_LASTS_DAYS = days("OPSBOARD_REHEARSAL_LASTS_DAYS", 90)
OVERRIDE_LASTS_AT_MOST_HOURS = number(
    "OPSBOARD_OVERRIDE_LASTS_AT_MOST_HOURS", 72, most=24 * MOST_DAYS
)
# How often environments are asked which version they run.
SEE_VERSIONS_SECONDS = number("OPSBOARD_SEE_VERSIONS_SECONDS", 60.0, least=1)
# What an environment said of itself is believed for so long; after that what runs is unknown.
RUNNING_KNOWN_FOR_SECONDS = number("OPSBOARD_RUNNING_KNOWN_FOR_SECONDS", 300.0)
# Requests a minute, of one token.
TOKEN_REQUESTS_A_MINUTE = whole_number("OPSBOARD_TOKEN_REQUESTS_A_MINUTE", 60)
# Seconds. They are settings so that a fault run can be scaled down, and says so.
REASK_AFTER_SECONDS = number("OPSBOARD_REASK_AFTER_SECONDS", 3.0)
DRAIN_BUDGET_SECONDS = number("OPSBOARD_DRAIN_BUDGET_SECONDS", 10.0, least=1)
LEASE_MARGIN_SECONDS = number("OPSBOARD_LEASE_MARGIN_SECONDS", 5.0)
# Requests at a time to one host from one drain: Opsboard is to be a polite guest.
PROBES_AT_ONCE_A_HOST = whole_number("OPSBOARD_PROBES_AT_ONCE_A_HOST", 4)
# What fails again so soon after it was resolved is the same incident.
REOPEN_WITHIN_SECONDS = number("OPSBOARD_REOPEN_WITHIN_SECONDS", 600.0)
# Where PagerDuty takes events: another for its European service, https://events.eu.pagerduty.com/...
PAGERDUTY_EVENTS_URL = env.str(
    "OPSBOARD_PAGERDUTY_EVENTS_URL", default="https://events.pagerduty.com/v2/enqueue"
)
DELIVERY_BACKOFF_SECONDS = number("OPSBOARD_DELIVERY_BACKOFF_SECONDS", 5.0)
# How long a message is in one sender's hands; two thirds of it are for the far side.
DELIVERY_LEASE_SECONDS = number("OPSBOARD_DELIVERY_LEASE_SECONDS", 30.0, least=1)
# How long a quiet channel waits for what begins together: see alerts.rules for the longer waits.
GATHER_SECONDS = number("OPSBOARD_GATHER_SECONDS", 1.0)

# Who watches the watcher. Empty: off.
ALIVE_URL = checked_address("OPSBOARD_ALIVE_URL")
ALIVE_SECONDS = number("OPSBOARD_ALIVE_SECONDS", 60.0, least=1)
BEAT_SILENT_AFTER_SECONDS = number("OPSBOARD_BEAT_SILENT_AFTER_SECONDS", 60.0)
LAST_RESORT_URL = checked_address("OPSBOARD_LAST_RESORT_URL", or_mail=True)
LAST_RESORT_AFTER_SECONDS = number("OPSBOARD_LAST_RESORT_AFTER_SECONDS", 30.0)

# Django ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "opsboard",
    "opsboard.people",
    "opsboard.services",
    "opsboard.rollbacks",
    "opsboard.probes",
    "opsboard.incidents",
    "opsboard.alerts",
    "opsboard.changes",
    "opsboard.releases",
    "opsboard.board",
    "opsboard.web",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    "opsboard.web.middleware.ForwardedAddress",
    "django.middleware.security.SecurityMiddleware",
    # Around the static files too, which are packed beforehand in production only.
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "opsboard.instrument.django.ServerTiming",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "opsboard.web.middleware.BuiltInViewer",
    "opsboard.web.middleware.RequireRole",
    "opsboard.web.middleware.ReadableAddress",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "opsboard.urls"
WSGI_APPLICATION = "opsboard.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "opsboard.web.context.chrome",
            ],
        },
    },
]

DATABASES = {
    "default": database(f"sqlite:///{Path(DATA) / 'opsboard.sqlite3'}" if EMBEDDED else "")
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
        ),
    }
else:
    DATABASES["default"] |= {
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            # Pages ask for little: to start workers beside it takes longer than the answer.
            "options": "-c statement_timeout=15000 -c lock_timeout=5000"
            " -c idle_in_transaction_session_timeout=30000 -c max_parallel_workers_per_gather=0",
        },
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
LOGIN_URL = "sign-in"
AUTHENTICATION_BACKENDS = ["opsboard.people.signing_in.WithRole"]
LOGIN_REDIRECT_URL = "board"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
# The embedded board serves static files from where they lie; production collects them.
STATIC_ROOT = None if EMBEDDED else BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if EMBEDDED
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = EMBEDDED
# A checkout that is updated under a running board must not break its pages.
WHITENOISE_AUTOREFRESH = EMBEDDED

# Without a mail server an e-mail channel says so; nothing is lost, and nothing is pretended.
MAIL_FROM = env.str("OPSBOARD_MAIL_FROM", default="opsboard@localhost")
DEFAULT_FROM_EMAIL = MAIL_FROM
MAILERS = {}
SILENCED_SYSTEM_CHECKS = ["mail.W001"]
if _mail := mail_server():
    MAILERS["default"] = {
        "BACKEND": _mail["EMAIL_BACKEND"],
        "OPTIONS": {
            "host": _mail["EMAIL_HOST"],
            "port": _mail["EMAIL_PORT"] or 25,
            "username": _mail["EMAIL_HOST_USER"] or "",
            "password": _mail["EMAIL_HOST_PASSWORD"] or "",
            "use_tls": _mail.get("EMAIL_USE_TLS", False),
            "use_ssl": _mail.get("EMAIL_USE_SSL", False),
            "timeout": 20,
        },
    }

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-opsboard" if HTTPS else "opsboard"
CSRF_COOKIE_NAME = "__Host-opsboard-csrf" if HTTPS else "opsboard-csrf"
CSRF_TRUSTED_ORIGINS = [URL]
CSRF_FAILURE_VIEW = "opsboard.web.resuming.csrf_failure"
SECURE_SSL_REDIRECT = HTTPS
# The API refuses what is not encrypted itself: a POST that is redirected arrives as a GET.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^api/v1(/|$)"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "object-src": [CSP.NONE],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "opsboard.people.masking.Masking",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("OPSBOARD_LOG_LEVEL", default="WARNING")},
}

# Celery ------------------------------------------------------------------------------------
# The broker carries only the bell: what is due, leased and undelivered lives in the database.

CELERY_BROKER_URL = broker(
    env.str("REDIS_URL", default="") or "memory://localhost" if EMBEDDED else required("REDIS_URL")
)
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "housekeeping"
CELERY_TASK_ACKS_LATE = False
# With True, a stopped Redis ended the running drains at once; with False they ran on.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 3
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
    "visibility_timeout": 300,
    "socket_timeout": 5,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "retry_on_timeout": False,
    "global_keyprefix": "opsboard:",
}
if CELERY_BROKER_URL.startswith("memory://"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.1}
