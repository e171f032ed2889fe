"""Rows in which Redis and PostgreSQL go away, or forget: production."""

import time

import redis

from tests.faults.boards import production, wait_for_redis
from tests.faults.postgres import Cluster, Server
from tests.faults.report import Outcome, PassLine
from tests.faults.rig import Rig, Scale
from tests.faults.runs import MICRO
from tests.faults.watching import Fault, watch
from tests.running.processes import until

FLUSH_EVERY = 1.0
# Celery's steps back to a broker that was away grow up to 30 s; only alerts and duties wait for it.
REDIS_BACK_WITHIN = 35.0
DATABASE_BACK_WITHIN = 5.0


def redis_stopped(server: Server, scale: Scale) -> Outcome:
    """F7: Redis is stopped for `times` seconds, and started again empty."""
    trouble: list[str] = []
    line = PassLine(max_gap_s=2 * scale.interval, recovery_s=2 * scale.interval)
    with production(server, scale) as rig:
        outcome = watch("F7", rig, lambda: _stop_redis(rig, trouble), line)
    outcome.also_broken += trouble
    return outcome


def _stop_redis(rig: Rig, trouble: list[str]) -> Fault:
    assert rig.redis is not None
    pid, away = rig.redis.pid, rig.scale.times
    rig.redis.kill()
    time.sleep(away)
    rig.redis.start()
    wait_for_redis(rig)
    assert rig.redis.pid != pid
    back = time.time()
    if not until(lambda: _has_rung(rig, back), seconds=REDIS_BACK_WITHIN):
        trouble.append(f"no bell rang for {REDIS_BACK_WITHIN:g} s after Redis was back")
    rang = f"bells rang again {time.time() - back:.1f} s after it was back"
    return Fault(injected=f"Redis {pid} killed, away for {away} s; {rang}", ended=back)


def _has_rung(rig: Rig, since: float) -> bool:
    newest = rig.store.one("SELECT max(claimed_at) FROM probes_shift WHERE duty = 'bell'")
    return bool(newest > since * MICRO)


def redis_forgets(server: Server, scale: Scale) -> Outcome:
    """F10: FLUSHALL, again and again. The broker holds bells only."""
    line = PassLine(max_gap_s=2 * scale.interval)
    with production(server, scale) as rig:
        return watch("F10", rig, lambda: _flush(rig), line)


def _flush(rig: Rig) -> Fault:
    with redis.Redis(port=rig.redis_port) as client:
        for _ in range(rig.scale.times):
            client.flushall()
            time.sleep(FLUSH_EVERY)
        flushed = client.info("commandstats")["cmdstat_flushall"]["calls"]
    assert flushed == rig.scale.times
    return Fault(injected=f"FLUSHALL {flushed} times, {FLUSH_EVERY:g} s apart", ended=time.time())


def database_restarted(cluster: Cluster, scale: Scale) -> Outcome:
    """F23: PostgreSQL is restarted (-m fast) under load."""
    line = PassLine(
        max_gap_s=scale.timeout + scale.margin + scale.interval + DATABASE_BACK_WITHIN,
        recovery_s=scale.interval + DATABASE_BACK_WITHIN,
    )
    with production(cluster, scale) as rig:
        return watch("F23", rig, lambda: _restart(cluster, rig), line)


def _restart(cluster: Cluster, rig: Rig) -> Fault:
    processes = [cluster.process()]
    for _ in range(rig.scale.times):
        time.sleep(3)
        cluster.control("-m", "fast", "restart")
        processes.append(cluster.process())
    assert len(set(processes)) == len(processes), "PostgreSQL did not restart"
    return Fault(injected=f"pg_ctl restart -m fast, processes {processes}", ended=time.time())
