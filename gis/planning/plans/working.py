"""The worker: plans that were asked for are made one after the other, each by one worker.

A plan's row is its own job, taken with SKIP LOCKED; while it is being made a heartbeat says so, hears whether it was
called off, and tells how far bound and plan are apart. A worker that falls silent has died, and another begins anew:
a plan is made from the register and its question alone. A queue of somebody else's (procrastinate was looked at)
would bring a schema and roles of its own beside the row that has to be kept anyway.
"""

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import orjson
from sqlalchemy import Row, text

from gis.errors import CalledOff, MenpaiError
from gis.planning.plans import records
from gis.planning.plans.making import make
from gis.planning.plans.questions import Kind, asked_before
from gis.store import session
from gis.terms import PlanStatus

BEAT_S: Final = 1.0
SILENT_S: Final = 15.0
"""Without a beat for so long, a worker has died."""
MOST_TRIES: Final = 3


def work(kinds: Mapping[str, Kind], stopped: Callable[[float], bool]) -> int:
    """Make plans until ``stopped``, which waits so many seconds at most, says so; return how many were ended."""
    ended = 0
    while True:
        row = take()
        if row is not None:
            finish(row, kinds)
            ended += 1
        if stopped(0 if row is not None else BEAT_S):
            return ended


def take() -> Row[Any] | None:
    """Take the plan that has waited longest, or whose worker has died; None where there is none."""
    with session.open("siting_job") as connection:
        return connection.execute(
            text(
                "UPDATE reg.plans SET status = CASE status WHEN :calling_off THEN status ELSE :running END,"
                " heard_at = now(), tries = tries + 1 WHERE id = (SELECT id FROM reg.plans WHERE ended_at IS NULL"
                " AND (heard_at IS NULL OR heard_at < now() - make_interval(secs => :silent))"
                " ORDER BY asked_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, question, status, tries"
            ),
            {
                "running": PlanStatus.RUNNING.value,
                "calling_off": PlanStatus.CALLING_OFF.value,
                "silent": SILENT_S,
            },
        ).first()


def finish(row: Row[Any], kinds: Mapping[str, Kind]) -> None:
    """Make a plan that was taken, and write what became of it."""
    if row.tries > MOST_TRIES:
        records.refuse(row.id, f"its making broke off {MOST_TRIES} times; the log of the worker says where")
        return
    try:
        with _beating(row.id) as beat:
            made = make(asked_before(row.question, kinds), beat)
            records.keep(row.id, made)
    except CalledOff:
        records.call_off(row.id)
    except (MenpaiError, ValueError) as error:
        records.refuse(row.id, str(error))


class _Beat:
    """What the heart knows: how far the solver is, and whether the plan was called off."""

    def __init__(self, plan: uuid.UUID) -> None:
        self._plan = plan
        self._known: dict[str, Any] = {}
        self.off = threading.Event()
        self.done = threading.Event()

    def __call__(self, bound: float, objective: float) -> bool:
        """Hear from the solver; exact figures stay inside, the gap goes out."""
        larger = max(abs(bound), abs(objective))
        if 0 < larger < float("inf"):
            self._known = {"gap_percent": round(100 * min(1.0, abs(objective - bound) / larger), 2)}
        return self.off.is_set()

    def beat(self) -> None:
        """Say once a second that somebody is at it, until it is done."""
        while True:
            with session.open("siting_job") as connection:
                status = connection.execute(
                    text(
                        "UPDATE reg.plans SET heard_at = now(), progress = CAST(:progress AS jsonb)"
                        " WHERE id = :id AND ended_at IS NULL RETURNING status"
                    ),
                    {"id": self._plan, "progress": orjson.dumps(self._known).decode()},
                ).scalar_one_or_none()
            if status == PlanStatus.CALLING_OFF:
                self.off.set()
            if self.done.wait(BEAT_S):
                return


@contextmanager
def _beating(plan: uuid.UUID) -> Iterator[_Beat]:
    """Beat in a thread of its own while a plan is being made."""
    beat = _Beat(plan)
    heart = threading.Thread(target=beat.beat, daemon=True)
    heart.start()
    try:
        yield beat
    finally:
        beat.done.set()
        heart.join()
