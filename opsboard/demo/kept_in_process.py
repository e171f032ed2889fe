"""The cache of the FastAPI and the Flask process."""

import threading
from typing import Any

from cachetools import TTLCache

from opsboard.demo.house import KEPT_SECONDS


class KeptInProcess:
    """A TTLCache that threads may share."""

    def __init__(self) -> None:
        self._kept: TTLCache[str, Any] = TTLCache(maxsize=500, ttl=KEPT_SECONDS)
        self._lock = threading.Lock()

    def get(self, key: str) -> Any:
        with self._lock:
            return self._kept.get(key)

    def set(self, key: str, value: Any) -> None:
        with self._lock:
            self._kept[key] = value

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
