"""Plans as they are kept: asked for, made once, and readable with everything they were made from."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Row, text

from gis.errors import PlanEnded, PlanNotFound, PlansSpent
from gis.register import divisions
from gis.store import session
from gis.terms import PlanStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gis.planning.plans.making import Made
    from gis.planning.plans.questions import Question


def ask(question: Question, actor: str) -> uuid.UUID:
    """Keep a question, for the worker to answer; return the plan's id. Raises UnknownDivision."""
    plan = uuid.uuid4()
    with session.open("planner", actor=actor) as connection:
        if question.division is not None:
            divisions.find_name(connection, question.division)
        connection.execute(
            text(
                "INSERT INTO reg.plans (id, actor, kind, division_code, question)"
                " VALUES (:id, :actor, :kind, :division, CAST(:question AS jsonb))"
            ),
            {
                "id": plan,
                "actor": actor,
                "kind": question.kind.code,
                "division": question.division,
                "question": orjson.dumps(question.parameters()).decode(),
            },
        )
    return plan


def keep(plan: uuid.UUID, made: Made) -> dict[str, Any]:
    """Write the answer of a plan, as it may be shown; return it."""
    from gis.planning.plans import publishing  # noqa: PLC0415 - whoever only reads plans needs no solver

    answer = publishing.published(made)
    with session.open("siting_job") as connection:
        connection.execute(
            text(
                "UPDATE reg.plans SET status = :made, ended_at = now(), answer = CAST(:answer AS jsonb),"
                " data_version = CAST(:version AS jsonb) WHERE id = :id AND ended_at IS NULL"
            ),
            {
                "id": plan,
                "made": PlanStatus.MADE.value,
                "answer": orjson.dumps(answer).decode(),
                "version": orjson.dumps(publishing.data_version()).decode(),
            },
        )
    return answer


def refuse(plan: uuid.UUID, why: str) -> None:
    """Write why there is no plan."""
    with session.open("siting_job") as connection:
        connection.execute(
            text(
                "UPDATE reg.plans SET status = :refused, ended_at = now(), refusal = :why"
                " WHERE id = :id AND ended_at IS NULL"
            ),
            {"id": plan, "refused": PlanStatus.REFUSED.value, "why": why},
        )


def call_off(plan: uuid.UUID) -> None:
    """Write that a plan was called off, by the worker that was at it."""
    with session.open("siting_job") as connection:
        connection.execute(
            text("UPDATE reg.plans SET status = :off, ended_at = now() WHERE id = :id AND ended_at IS NULL"),
            {"id": plan, "off": PlanStatus.CALLED_OFF.value},
        )


def ask_off(plan: uuid.UUID, actor: str) -> str:
    """Call a plan off, at once where nobody is at it; return its status. Raises PlanNotFound, PlanEnded."""
    with session.open("planner", actor=actor) as connection:
        status = connection.execute(
            text(
                "UPDATE reg.plans SET status = CASE WHEN heard_at IS NULL THEN :off ELSE :calling END,"
                " ended_at = CASE WHEN heard_at IS NULL THEN now() END WHERE id = :id AND ended_at IS NULL"
                " RETURNING status"
            ),
            {"id": plan, "off": PlanStatus.CALLED_OFF.value, "calling": PlanStatus.CALLING_OFF.value},
        ).scalar_one_or_none()
    if status is None:
        raise PlanEnded(id=plan, status=get(plan).status)
    return str(status)


def check_budget(actor: str, most: int) -> None:
    """Raise PlansSpent where an account has asked for as many plans today as it may (rights.md, 8)."""
    with session.open("planner", actor=actor) as connection:
        asked = connection.execute(
            text(
                "SELECT count(*) FROM reg.plans WHERE actor = :actor AND (asked_at AT TIME ZONE 'Asia/Shanghai')::date"
                " = (now() AT TIME ZONE 'Asia/Shanghai')::date"
            ),
            {"actor": actor},
        ).scalar_one()
    if asked >= most:
        raise PlansSpent(who=actor, most=most)


def get(plan: uuid.UUID) -> Row[Any]:
    """Return a plan's row; raises PlanNotFound."""
    with session.open("planner") as connection:
        row = connection.execute(text("SELECT * FROM reg.plans WHERE id = :id"), {"id": plan}).first()
    if row is None:
        raise PlanNotFound(id=plan)
    return row


def find(*, limit: int = 100) -> Sequence[Row[Any]]:
    """Return plans, the newest first, without their answers."""
    with session.open("planner") as connection:
        return connection.execute(
            text(
                "SELECT id, actor, kind, division_code, status, asked_at, ended_at FROM reg.plans"
                " ORDER BY asked_at DESC, id LIMIT :limit"
            ),
            {"limit": limit},
        ).all()
