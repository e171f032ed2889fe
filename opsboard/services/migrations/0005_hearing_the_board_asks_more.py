from typing import Any

from django.db import migrations

BEFORE, AFTER = "db.calls <= 20", "db.calls <= 24"


def allow_more(apps: Any, _: Any) -> None:
    """The board reads who hears what, for each service: Opsboard's own sheet of it says so."""
    paths = apps.get_model("services", "CriticalPath").objects
    for path in paths.filter(service__is_built_in=True, slug="board"):
        lines = path.expected_result.split("\n")
        path.expected_result = "\n".join(AFTER if line == BEFORE else line for line in lines)
        path.save(update_fields=["expected_result"])


class Migration(migrations.Migration):
    dependencies = [("services", "0004_deploys_rotas_and_windows")]

    operations = [migrations.RunPython(allow_more, migrations.RunPython.noop)]
