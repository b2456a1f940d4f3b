"""How long a search may still take, by the clock on the wall, and who is told how far it is.

A busy machine makes a limit no longer. Every search asks now and then whether its time is over; that is also when
whoever waits for it hears of the bound and the best plan so far, and may call it off.
"""

import time
from collections.abc import Callable

OnProgress = Callable[[float, float], bool | None]
"""Called with the bound and the objective so far; True calls the search off, which then answers with what it has. An
exception goes through to whoever asked."""

EVERY_S = 0.1
"""Seconds between two calls."""


class Clock:
    """Runs from the moment it is made."""

    def __init__(self, limit_s: float, on_progress: OnProgress | None = None) -> None:
        """Start, with so many seconds."""
        self.limit_s = limit_s
        self.cancelled = False
        self._start = time.monotonic()
        self._on_progress = on_progress
        self._known = (0.0, float("inf"))
        self._next = 0.0
        self._whole: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    @property
    def left_s(self) -> float:
        """Seconds that are left, at least 0; none once the search is called off."""
        return 0.0 if self.cancelled else max(0.0, self.limit_s - self.seconds)

    @property
    def expired(self) -> bool:
        """Whether all the time has passed."""
        return self.seconds >= self.limit_s

    def over(self, share: float = 1.0) -> bool:
        """Tell whether this share of the time has passed, or the search is called off."""
        if self._on_progress and not self.cancelled and self.seconds >= self._next:
            self._call()
        return self.cancelled or self.seconds >= share * self.limit_s

    def counts_from(self, whole: float) -> None:
        """Say that what is told from now on is what is missing of so much: a maximal cover is searched as a minimum."""
        self._whole = whole
        self._known = (whole, 0.0)

    def tell(self, bound: float, objective: float) -> None:
        """Keep the bound and the best plan's objective, for whoever listens."""
        whole = self._whole
        self._known = (bound, objective) if whole is None else (whole - bound, whole - objective)

    def end(self, bound: float, objective: float) -> None:
        """Report the end, whenever the last report was."""
        self._known = (bound, objective)
        if self._on_progress and not self.cancelled:
            self._call()

    def _call(self) -> None:
        """Report, and hear whether to go on."""
        self._next = self.seconds + EVERY_S
        if self._on_progress and self._on_progress(*self._known) is True:
            self.cancelled = True
