"""A worker that takes one turn at the bursts of a location, in the database that is named.

python -m tests.changes.burst_worker DATABASE LOCATION
"""

import sys

import django


def main() -> None:
    django.setup()
    from django.db import connection

    from opsboard.changes import bursts
    from opsboard.changes.bursts import asking

    connection.settings_dict["NAME"] = sys.argv[1]
    # On a busy machine our own loop is late, and the answer is then no sample.
    asking.was_delayed = lambda _: False
    bursts.ask_due(sys.argv[2], is_stopping=lambda: False)


if __name__ == "__main__":
    main()
