"""Plans over HTTP: a planner asks, the worker makes, and whoever works in the division reads what may be shown."""

import tempfile
import uuid
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Row

from api import answers, errors
from api.accounts import Caller
from api.acting import Strict
from api.jurisdiction import may_register, works_in
from api.signing_in import Token, signed_in
from data import reference
from gis.errors import BadArgument, NotAllowed, PlanNotFound
from gis.planning.plans import records
from gis.planning.plans.questions import Model, ask
from gis.register.divisions import parse_code
from gis.terms import PlanStatus, Role

router = APIRouter(tags=["plans 选址"])
READING = errors.documented(401, 403, 404, 422, 503)
MOST_A_DAY = 50
"""Plans an account may ask for: enough to compare, too few to take a town apart."""
MOST_POINTS = 2000
WHOLE_REGION = 640_000_000_000
MEDIA = {
    "html": "text/html; charset=utf-8",
    "geojson": "application/geo+json",
    "gpkg": "application/geopackage+sqlite3",
}
Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class PointBody(Strict):
    """A place where one may build."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    lon: Degrees
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class PlanBody(Strict):
    """A planner's question."""

    kind: Annotated[str, Field(max_length=40)]
    division: Annotated[str, Field(max_length=12)]
    sites: Annotated[int, Field(ge=1, le=500)] | None = None
    within_min: Annotated[float, Field(gt=0, le=180, allow_inf_nan=False)] | None = None
    model: Model | None = None
    mode: Literal["walk", "drive"] | None = None
    candidates: Literal["grid", "junctions"] = "grid"
    points: Annotated[tuple[PointBody, ...], Field(max_length=MOST_POINTS)] = ()
    """In the place of ``candidates`` where there are any."""
    capacity: Annotated[float, Field(gt=0, le=1e7, allow_inf_nan=False)] | None = None
    closing: bool = False
    time_limit_s: Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)] = 60
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


@router.post("/api/plans", status_code=202, responses=errors.documented(401, 403, 404, 422, 429, 503))
def ask_for(body: PlanBody, token: Token) -> Response:
    """Ask for a plan in one's divisions; it is made in the background, and GET tells how far it is."""
    who = signed_in(token)
    division = parse_code(body.division)
    may_register(who, division, Role.PLANNER)
    kinds = reference.facility_kinds()
    if body.kind not in kinds:
        raise BadArgument(why=f"{body.kind} is no kind of facility: {', '.join(kinds)}")
    question = ask(
        kinds[body.kind],
        sites=body.sites,
        within_min=body.within_min,
        model=body.model,
        mode=body.mode,
        division=division,
        candidates="file" if body.points else body.candidates,
        points=tuple((point.lon, point.lat) for point in body.points),
        names=tuple(point.name for point in body.points),
        capacity=body.capacity,
        closing=body.closing,
        time_limit_s=body.time_limit_s,
        seed=body.seed,
    )
    records.check_budget(str(who.name), MOST_A_DAY)
    plan = records.ask(question, str(who.name))
    return answers.json({"id": str(plan), "status": PlanStatus.ASKED}, 202, {"Location": f"/api/plans/{plan}"})


@router.get("/api/plans", responses=errors.documented(401, 403, 422, 503))
def find(token: Token, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> Response:
    """Return the plans of one's divisions, the newest first, without their answers."""
    who = _planner(token)
    rows = [row for row in records.find(limit=limit) if _may_read(who, row)]
    return answers.json({"plans": [_headed(row) for row in rows]})


@router.get("/api/plans/{plan}", responses=READING)
def read(plan: uuid.UUID, token: Token) -> Response:
    """Return a plan: how far it is, or what was made and from what."""
    row = _get(plan, _planner(token))
    return answers.json(
        _headed(row)
        | {
            "question": row.question,
            "progress": row.progress,
            "refusal": row.refusal,
            "data_version": row.data_version,
            "answer": row.answer,
        }
    )


@router.get("/api/plans/{plan}/file", responses=errors.documented(401, 403, 404, 409, 422, 503))
def as_file(plan: uuid.UUID, token: Token, form: Literal["html", "geojson", "gpkg"] = "html") -> Response:
    """Return a plan that was made as a file to keep: a page that needs no network, or its sites for a GIS."""
    row = _get(plan, _planner(token))
    if row.answer is None:
        raise PlanNotFound(id=plan)
    from api import planning  # noqa: PLC0415 - a service that draws no plan needs neither folium nor frames

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / f"plan.{form}"
        planning.write(row, out)
        content = out.read_bytes()
    name = f'attachment; filename="menpai-plan-{plan}.{form}"'
    return Response(content, headers={"Content-Disposition": name}, media_type=MEDIA[form])


@router.delete("/api/plans/{plan}", responses=errors.documented(401, 403, 404, 409, 422, 503))
def call_off(plan: uuid.UUID, token: Token) -> Response:
    """Call a plan off; one that has ended stays on record."""
    who = _planner(token)
    _get(plan, who)
    return answers.json({"id": str(plan), "status": records.ask_off(plan, str(who.name))})


def _planner(token: str | None) -> Caller:
    """Return the planner who asks; raises NotAllowed."""
    who = signed_in(token)
    if not who.has(Role.PLANNER):
        raise NotAllowed(who=who.name, what="read plans; they are a planner's")
    return who


def _get(plan: uuid.UUID, who: Caller) -> Row[Any]:
    """Return a plan of a division in which the caller plans; raises PlanNotFound for any other."""
    row = records.get(plan)
    if not _may_read(who, row):
        raise PlanNotFound(id=plan)
    return row


def _may_read(who: Caller, row: Row[Any]) -> bool:
    return works_in(who, row.division_code or WHOLE_REGION, Role.PLANNER)


def _headed(row: Row[Any]) -> dict[str, Any]:
    """Return what a list says of a plan."""
    division = None if row.division_code is None else str(row.division_code)
    return {
        "id": str(row.id),
        "actor": row.actor,
        "kind": row.kind,
        "division": division,
        "status": row.status,
        "asked_at": row.asked_at,
        "ended_at": row.ended_at,
    }
