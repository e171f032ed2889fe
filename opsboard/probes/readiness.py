"""What a process that drains has to have, once: room for open connections, and little sweeping."""

import gc
import logging
import resource
from functools import cache

log = logging.getLogger(__name__)

# Beside the connections to what is asked: the database, the broker, logs, libraries.
OTHER_FILES = 250
# Nearly all that a probe leaves behind is freed without the collector, which went through the
# orders of all probes again and again: a quarter of the price with 10,000 of them.
COLLECT_AFTER = (50_000, 20, 100)


@cache
def make_ready(most_open: int) -> None:
    """For so many requests under way at a time. Once for a process: what an operator sets on a
    running one stays."""
    gc.set_threshold(*COLLECT_AFTER)
    wanted = most_open + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        log.warning(
            "this process may open %d files, and %d requests under way need %d: probes may fail for"
            " want of them; raise the limit of open files (ulimit -Hn) and restart the worker",
            most,
            most_open,
            wanted,
        )
