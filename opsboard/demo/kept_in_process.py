"""The cache of the FastAPI and the Flask process."""

import threading
from typing import Any

from cachetools import TTLCache

from opsboard.demo.house import KEPT_SECONDS, MOST_KEPT


class KeptInProcess:
    """A TTLCache that threads may share."""

    def __init__(self) -> None:
        self._kept: TTLCache[str, Any] = TTLCache(maxsize=MOST_KEPT, ttl=KEPT_SECONDS)
        self._lock = threading.Lock()

    def get(self, key: str) -> Any:
        with self._lock:
            return self._kept.get(key)

    def set(self, key: str, value: Any) -> None:
        with self._lock:
            self._kept[key] = value

    def forget(self, key: str) -> None:
        with self._lock:
            self._kept.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
