"""A worker may open as many connections as it asks at a time, or says that it may not."""

import subprocess
import sys

import pytest

READY = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from opsboard.probes.readiness import make_ready
make_ready(300)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


# In a process of its own: a limit once lowered cannot be raised again.
@pytest.mark.parametrize(
    ("soft", "hard", "allowed", "says"),
    [
        (200, 1000, 550, ""),
        (700, 1000, 700, ""),
        (200, 400, 400, "300 requests under way need 550"),
    ],
)
def test_the_limit_of_open_files_is_raised_as_far_as_it_goes(
    soft: int, hard: int, allowed: int, says: str
):
    code = READY.format(soft=soft, hard=hard)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == allowed
    assert says in done.stderr
    assert bool(done.stderr) is bool(says)
