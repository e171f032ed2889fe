"""Every setting of a board, by group: its name in the environment, its words, its default.

The names are those of the table in README.md, and the defaults those of opsboard.settings: a test
holds them together.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    words: str
    # None: it has no fixed one; `said` is it in words.
    default: object = None
    said: str = ""
    # Production does not start without it: there it has no default to differ from.
    is_needed: bool = False
    # It may hold a secret: only whether it is set is ever shown.
    is_hidden: bool = False

    @property
    def attribute(self) -> str:
        """Its name in opsboard.settings."""
        return self.name.removeprefix("OPSBOARD_")


GROUPS: tuple[tuple[str, tuple[Setting, ...]], ...] = (
    (
        "Keys and addresses",
        (
            Setting(
                "SECRET_KEY",
                "Signs sessions and links.",
                said="made in the data directory",
                is_needed=True,
                is_hidden=True,
            ),
            Setting(
                "OPSBOARD_FIELD_KEYS",
                "The keys of secrets at rest: the first encrypts, all decrypt.",
                said="made in the data directory",
                is_needed=True,
                is_hidden=True,
            ),
            Setting(
                "ALLOWED_HOSTS",
                "The host names that the board answers to.",
                said="any",
                is_needed=True,
            ),
            Setting(
                "OPSBOARD_URL",
                "The address people use; https:// turns on secure cookies, HSTS and the redirect.",
                said="the host and port it listens on",
                is_needed=True,
            ),
            Setting(
                "OPSBOARD_SELF_URL",
                "Where this board's own probes reach it.",
                said="as OPSBOARD_URL",
            ),
            Setting(
                "OPSBOARD_TRUSTED_PROXIES",
                "Networks whose X-Forwarded-* headers are believed.",
                default=(),
            ),
            Setting(
                "OPSBOARD_TOKEN_REQUESTS_A_MINUTE",
                "How many requests one token may make in a minute.",
                default=60,
            ),
        ),
    ),
    (
        "Database, broker and mail",
        (
            Setting(
                "DATABASE_URL",
                "Where everything is kept. It may hold a password.",
                said="SQLite in the data directory",
                is_needed=True,
                is_hidden=True,
            ),
            Setting(
                "REDIS_URL",
                "What rings for the workers. It may hold a password.",
                said="in memory",
                is_needed=True,
                is_hidden=True,
            ),
            Setting(
                "EMAIL_URL",
                "The mail server. Without one, e-mail channels say so.",
                said="none",
                is_hidden=True,
            ),
            Setting("OPSBOARD_MAIL_FROM", "The sender of alerts.", default="opsboard@localhost"),
            Setting("OPSBOARD_LOG_LEVEL", "What goes to the log.", default="WARNING"),
        ),
    ),
    (
        "Probing",
        (
            Setting(
                "OPSBOARD_EGRESS_ALLOW",
                "Networks that may be probed beside public ones.",
                said="none",
                is_needed=True,
            ),
            Setting(
                "OPSBOARD_LOCATION",
                "The name of the place this worker probes from.",
                default="default",
            ),
            Setting(
                "OPSBOARD_LOCATIONS",
                "All places that have workers; paths that name none are asked from the first.",
                said="the one of this worker",
            ),
            Setting(
                "OPSBOARD_CANARIES",
                "Addresses that answer while the network here is alive, asked only in doubt.",
                said="none",
                is_hidden=True,
            ),
            Setting(
                "OPSBOARD_PROBES_AT_ONCE_A_HOST",
                "How many requests go to one host at a time, from one drain.",
                default=4,
            ),
            Setting(
                "OPSBOARD_REASK_AFTER_SECONDS",
                "How soon a first disagreement is asked again.",
                default=3.0,
            ),
            Setting(
                "OPSBOARD_DRAIN_BUDGET_SECONDS",
                "How long a drain goes on before it is relieved.",
                default=10.0,
            ),
            Setting(
                "OPSBOARD_LEASE_MARGIN_SECONDS",
                "A lease lasts the path's timeout and this.",
                default=5.0,
            ),
        ),
    ),
    (
        "How long history is kept",
        (
            Setting(
                "OPSBOARD_KEEP_OBSERVATIONS_DAYS", "How long raw observations are kept.", default=30
            ),
            Setting(
                "OPSBOARD_KEEP_ROLLUPS_DAYS", "How long hourly roll-ups are kept.", default=730
            ),
        ),
    ),
    (
        "Notes and sheets",
        (
            Setting(
                "OPSBOARD_NOTE_LASTS_DAYS",
                "How long a rollback note is fresh after somebody wrote it or found it still true.",
                default=90,
            ),
            Setting(
                "OPSBOARD_NOTE_LASTS_DAYS_TIER_1",
                "The same for the notes of tier 1 services.",
                default=30,
            ),
            Setting(
                "OPSBOARD_SHEET_LASTS_DAYS",
                "How long a sheet is fresh after somebody checked it.",
                default=90,
            ),
            Setting(
                "OPSBOARD_REHEARSAL_LASTS_DAYS",
                "How long a rehearsal shows that the way back works.",
                default=90,
            ),
        ),
    ),
    (
        "Releases",
        (
            Setting(
                "OPSBOARD_INTEGRATION_LASTS_SECONDS",
                "How long an integration check counts.",
                default=86_400.0,
            ),
            Setting(
                "OPSBOARD_CONFIG_LASTS_SECONDS",
                "How long a config check counts where the running root is not told.",
                default=14_400.0,
            ),
            Setting(
                "OPSBOARD_GREEN_FOR_SECONDS",
                "How long staging's paths have to be passing or warning.",
                default=600.0,
            ),
            Setting(
                "OPSBOARD_OVERRIDE_LASTS_AT_MOST_HOURS",
                "How long an override may last at most.",
                default=72,
            ),
            Setting(
                "OPSBOARD_SEE_VERSIONS_SECONDS",
                "How often environments are asked which commit they run.",
                default=60.0,
            ),
            Setting(
                "OPSBOARD_RUNNING_KNOWN_FOR_SECONDS",
                "How long what an environment said is believed.",
                default=300.0,
            ),
        ),
    ),
    (
        "Incidents and alerts",
        (
            Setting(
                "OPSBOARD_REOPEN_WITHIN_SECONDS",
                "What fails again within this continues the same incident.",
                default=600.0,
            ),
            Setting(
                "OPSBOARD_GATHER_SECONDS",
                "How long a quiet channel waits; ten times that when it is busy.",
                default=1.0,
            ),
            Setting(
                "OPSBOARD_DELIVERY_BACKOFF_SECONDS",
                "The first wait after an alert was not taken.",
                default=5.0,
            ),
            Setting(
                "OPSBOARD_DELIVERY_LEASE_SECONDS",
                "How long a message is in one sender's hands.",
                default=30.0,
            ),
            Setting(
                "OPSBOARD_PAGERDUTY_EVENTS_URL",
                "Where PagerDuty takes events; its European service has another address.",
                default="https://events.pagerduty.com/v2/enqueue",
            ),
        ),
    ),
    (
        "Who watches the watcher",
        (
            Setting(
                "OPSBOARD_ALIVE_URL",
                "Hears every minute that Opsboard works. Its address is a secret.",
                said="none",
                is_hidden=True,
            ),
            Setting("OPSBOARD_ALIVE_SECONDS", "How often it hears that.", default=60.0),
            Setting(
                "OPSBOARD_LAST_RESORT_URL",
                "A webhook or a mail address, told when the usual road does not work.",
                said="none",
                is_hidden=True,
            ),
            Setting(
                "OPSBOARD_LAST_RESORT_AFTER_SECONDS",
                "How long the database may be away before that.",
                default=30.0,
            ),
            Setting(
                "OPSBOARD_BEAT_SILENT_AFTER_SECONDS",
                "How long the bell may be silent before the board says so.",
                default=60.0,
            ),
        ),
    ),
)
