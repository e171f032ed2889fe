"""Says what the banner of every page says, in the database its environment names.

python -m tests.faults.banner
"""

import django


def main() -> None:
    django.setup()
    from django.utils import timezone

    from opsboard.probes.wellness import banner_of, read_signs

    print(banner_of(read_signs(), timezone.now()) or "")


if __name__ == "__main__":
    main()
