"""Every setting, in one file: what differs between places on top, then Django, then Celery.

With OPSBOARD_DATA (set by `script/up`) this is the embedded board: SQLite and keys live in that
directory. Without it this is production, which refuses to start when a secret, the allowed hosts
or the address is missing. A variable NAME may also be given as NAME_FILE, a file that holds it.
"""

import contextlib
import os
import re
import secrets
import tomllib
from pathlib import Path

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

from opsboard.services.addresses import check_url
from opsboard.services.rules import check_slug

env = environ.FileAwareEnv()

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


def required(name: str) -> str:
    value: str = env.str(name, default="")
    # An empty allow-list is an answer; no allow-list is a question nobody has answered.
    is_set = name in os.environ or f"{name}_FILE" in os.environ
    if not is_set or (not value and name != "OPSBOARD_EGRESS_ALLOW"):
        raise ImproperlyConfigured(
            f"{name} is not set. Opsboard does not start in production without it: "
            "set it in the environment (see the settings in README.md), or start with script/up."
        )
    return value


def checked_address(name: str, *, or_mail: bool = False) -> str:
    """An address of the web that may be asked, or `mailto:` and one e-mail address, or ""."""
    address: str = env.str(name, default="").strip()
    if or_mail and address.lower().startswith("mailto:"):
        if not re.fullmatch(r"mailto:[^\s@,?]+@[^\s@,?]+", address, re.IGNORECASE):
            raise ImproperlyConfigured(
                f"{name} is not one e-mail address: write it as in mailto:ops@example.com."
            )
        if not env.str("EMAIL_URL", default=""):
            raise ImproperlyConfigured(
                f"{name} is an e-mail address, but no mail server is set: set EMAIL_URL, or give "
                "the address of a webhook."
            )
        return f"mailto:{address[7:]}"
    if address and (problem := check_url(address)):
        raise ImproperlyConfigured(f"{name} cannot be used. {problem}")
    return address


def checked_canary(address: str) -> str:
    """An address of the web, or tcp:// with a host and a port."""
    address = address.strip()
    is_tcp = address.startswith("tcp://")
    # Only the port has to be written where nothing says which one it is.
    problem = check_url(f"http://{address[6:]}" if is_tcp else address)
    if is_tcp and not problem and not re.fullmatch(r"tcp://[^/?#]+:[0-9]+", address):
        problem = "Write host and port, as in tcp://10.0.0.1:443."
    if problem:
        raise ImproperlyConfigured(f"OPSBOARD_CANARIES: {address} cannot be used. {problem}")
    return address


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
    PORT = env.int("OPSBOARD_PORT", default=8000)
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
TRUSTED_PROXIES = env.list("OPSBOARD_TRUSTED_PROXIES", default=[])
KEEP_OBSERVATIONS_DAYS = env.int("OPSBOARD_KEEP_OBSERVATIONS_DAYS", default=30)
KEEP_ROLLUPS_DAYS = env.int("OPSBOARD_KEEP_ROLLUPS_DAYS", default=730)
# How long a look at a rollback note (of a tier 1 service, of others) and at a sheet lasts.
NOTE_LASTS_DAYS_TIER_1 = env.float("OPSBOARD_NOTE_LASTS_DAYS_TIER_1", default=30)
NOTE_LASTS_DAYS = env.float("OPSBOARD_NOTE_LASTS_DAYS", default=90)
SHEET_LASTS_DAYS = env.float("OPSBOARD_SHEET_LASTS_DAYS", default=90)
# How long the answers to a release's gates last, where a team has not chosen otherwise.
INTEGRATION_LASTS_SECONDS = env.float("OPSBOARD_INTEGRATION_LASTS_SECONDS", default=24 * 3600.0)
# A config check where the running configuration is not observed.
CONFIG_LASTS_SECONDS = env.float("OPSBOARD_CONFIG_LASTS_SECONDS", default=4 * 3600.0)
# How long the paths of staging have to be passing or warning.
GREEN_FOR_SECONDS = env.float("OPSBOARD_GREEN_FOR_SECONDS", default=600.0)
REHEARSAL_LASTS_DAYS = env.float("OPSBOARD_REHEARSAL_LASTS_DAYS", default=90)
OVERRIDE_LASTS_AT_MOST_HOURS = env.float("OPSBOARD_OVERRIDE_LASTS_AT_MOST_HOURS", default=72)
# How often environments are asked which version they run.
SEE_VERSIONS_SECONDS = env.float("OPSBOARD_SEE_VERSIONS_SECONDS", default=60.0)
# What an environment said of itself is believed for so long; after that what runs is unknown.
RUNNING_KNOWN_FOR_SECONDS = env.float("OPSBOARD_RUNNING_KNOWN_FOR_SECONDS", default=300.0)
# Requests a minute, of one token.
TOKEN_REQUESTS_A_MINUTE = env.int("OPSBOARD_TOKEN_REQUESTS_A_MINUTE", default=60)
# Seconds. They are settings so that a fault run can be scaled down, and says so.
REASK_AFTER_SECONDS = env.float("OPSBOARD_REASK_AFTER_SECONDS", default=3.0)
DRAIN_BUDGET_SECONDS = env.float("OPSBOARD_DRAIN_BUDGET_SECONDS", default=10.0)
LEASE_MARGIN_SECONDS = env.float("OPSBOARD_LEASE_MARGIN_SECONDS", default=5.0)
# Requests at a time to one host from one drain: Opsboard is to be a polite guest.
PROBES_AT_ONCE_A_HOST = env.int("OPSBOARD_PROBES_AT_ONCE_A_HOST", default=4)
if PROBES_AT_ONCE_A_HOST < 1:
    raise ImproperlyConfigured(
        "OPSBOARD_PROBES_AT_ONCE_A_HOST is how many requests go to one host at a time: "
        "write a number of at least 1."
    )
# What fails again so soon after it was resolved is the same incident.
REOPEN_WITHIN_SECONDS = env.float("OPSBOARD_REOPEN_WITHIN_SECONDS", default=600.0)
# Where PagerDuty takes events: another for its European service, https://events.eu.pagerduty.com/...
PAGERDUTY_EVENTS_URL = env.str(
    "OPSBOARD_PAGERDUTY_EVENTS_URL", default="https://events.pagerduty.com/v2/enqueue"
)
DELIVERY_BACKOFF_SECONDS = env.float("OPSBOARD_DELIVERY_BACKOFF_SECONDS", default=5.0)
# How long a message is in one sender's hands; two thirds of it are for the far side.
DELIVERY_LEASE_SECONDS = env.float("OPSBOARD_DELIVERY_LEASE_SECONDS", default=30.0)
# How long a quiet channel waits for what begins together: see alerts.rules for the longer waits.
GATHER_SECONDS = env.float("OPSBOARD_GATHER_SECONDS", default=1.0)

# Who watches the watcher. Empty: off.
ALIVE_URL = checked_address("OPSBOARD_ALIVE_URL")
ALIVE_SECONDS = env.float("OPSBOARD_ALIVE_SECONDS", default=60.0)
if ALIVE_SECONDS < 1:
    raise ImproperlyConfigured("OPSBOARD_ALIVE_SECONDS is less than 1: write seconds, such as 60.")
BEAT_SILENT_AFTER_SECONDS = env.float("OPSBOARD_BEAT_SILENT_AFTER_SECONDS", default=60.0)
LAST_RESORT_URL = checked_address("OPSBOARD_LAST_RESORT_URL", or_mail=True)
LAST_RESORT_AFTER_SECONDS = env.float("OPSBOARD_LAST_RESORT_AFTER_SECONDS", default=30.0)

# Django ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "opsboard",
    "opsboard.people",
    "opsboard.services",
    "opsboard.rollbacks",
    "opsboard.probes",
    "opsboard.incidents",
    "opsboard.alerts",
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
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "opsboard.instrument.django.ServerTiming",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "opsboard.web.middleware.BuiltInViewer",
    "opsboard.web.middleware.RequireRole",
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
    "default": env.db_url(
        "DATABASE_URL",
        default=f"sqlite:///{Path(DATA) / 'opsboard.sqlite3'}" if EMBEDDED else environ.Env.NOTSET,
    )
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
            "options": "-c statement_timeout=15000 -c lock_timeout=5000"
            " -c idle_in_transaction_session_timeout=30000",
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
if env.str("EMAIL_URL", default=""):
    _mail = env.email_url("EMAIL_URL")
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

CELERY_BROKER_URL = env.str(
    "REDIS_URL", default="memory://localhost" if EMBEDDED else environ.Env.NOTSET
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
