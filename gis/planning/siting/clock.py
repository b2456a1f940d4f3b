"""How long a search may still take, by the clock on the wall: a busy machine makes a limit no longer."""

import time


class Clock:
    """Runs from the moment it is made."""

    def __init__(self, limit_s: float) -> None:
        """Start, with so many seconds."""
        self.limit_s = limit_s
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    @property
    def left_s(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self.limit_s - self.seconds)

    def over(self, share: float = 1.0) -> bool:
        """Tell whether this share of the time has passed."""
        return self.seconds >= share * self.limit_s
