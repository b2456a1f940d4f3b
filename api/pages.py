"""The pages: the map, a building's public page, the first start, and the description of the interface."""

from functools import cache
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.staticfiles import StaticFiles

from api import errors
from api.buildings import get_building
from api.trials import is_invented
from gis import numbering
from gis.errors import BuildingNotFound, InvalidNumber
from gis.planning.plans import facilities
from gis.planning.plans.questions import SERVICE_STATION
from gis.register import history
from gis.store import session
from gis.terms import BuildingKind, BuildingStatus

WEB = Path(__file__).parent / "web"
LONGEST_SHOWN = 20
CHECKED_EACH_TIME = {"Cache-Control": "no-cache"}
BY_WHO_ASKS = {"Vary": "Accept"}
router = APIRouter(include_in_schema=False)


def mount(app: FastAPI) -> None:
    """Serve the pages, and the files they are made of under /web."""
    app.include_router(router)
    app.mount("/web", Files(directory=WEB), name="web")


class Files(StaticFiles):
    """Files of the pages; a browser asks each time whether they changed, so that an update shows."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """Return a file with its caching rule."""
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # passed on as it came
        answer.headers.update(CHECKED_EACH_TIME)
        return answer


@router.get("/")
def map_page() -> Response:
    """Return the map."""
    return FileResponse(WEB / "index.html", headers=CHECKED_EACH_TIME)


@router.get("/enter")
def enter_page() -> Response:
    """Return the page behind a one-time link; the token stays after the #, which no server sees."""
    return FileResponse(WEB / "enter.html")


@router.get("/review")
def review_page() -> Response:
    """Return the page on which registrars decide about rows that wait; it asks /api/reviews with their bearer."""
    return FileResponse(WEB / "review.html", headers=CHECKED_EACH_TIME)


@router.get("/own")
def own_page() -> Response:
    """Return the page of one's own account: sessions, password, second factor."""
    return FileResponse(WEB / "own.html", headers=CHECKED_EACH_TIME)


@router.get("/accounts")
def accounts_page() -> Response:
    """Return the desk of those who manage accounts; it asks /api/accounts with their session."""
    return FileResponse(WEB / "accounts.html", headers=CHECKED_EACH_TIME)


@router.get("/desk")
def desk_page() -> Response:
    """Return the registrar's desk for declarations; it asks the service with the session of who is signed in."""
    return FileResponse(WEB / "desk.html", headers=CHECKED_EACH_TIME)


@router.get("/record")
def record_page() -> Response:
    """Return the resident's own desk: no account, the receipt's code and the document."""
    return FileResponse(WEB / "record.html", headers=CHECKED_EACH_TIME)


@router.get("/docs")
def docs_page() -> Response:
    """Return Swagger UI over /openapi.json, from this service's own files."""
    return FileResponse(WEB / "docs.html", headers=CHECKED_EACH_TIME)


@router.get("/b/{number}", responses=errors.documented(404, 422, 503))
def building_page(request: Request, number: str) -> Response:
    """Return the public page of a building: the structure, and how to complain; never who lives there.

    Where there is none, a browser gets a page that says so, and a program the problem.
    """
    try:
        with session.open("public") as connection:
            row = get_building(connection, number)
            successors = history.find_successors(connection, row.number)
    except (InvalidNumber, BuildingNotFound) as error:
        if "text/html" not in request.headers.get("accept", ""):
            refusal = errors.answer(request, error)
            refusal.headers.update(BY_WHO_ASKS)
            return refusal
        return _no_building(number, error)
    page = (
        _templates()
        .get_template("building.html")
        .render(
            building={
                "shown": numbering.show(str(row.number)),
                "standard_address": row.standard_address,
                "division": row.division_name,
                "kind": BuildingKind(row.kind),
                "status": BuildingStatus(row.status),
                "valid_to": row.expires_on,
                "successors": [numbering.show(str(successor)) for successor in successors],
            },
            fictional=is_invented(row.number, row.division_code),
            station=facilities.find_nearest(SERVICE_STATION, row.number),
        )
    )
    return HTMLResponse(page, headers=CHECKED_EACH_TIME)


def _no_building(number: str, error: InvalidNumber | BuildingNotFound) -> Response:
    """Return the page that says there is no such building, or no such number."""
    valid = isinstance(error, BuildingNotFound)
    shown = numbering.show(number) if valid else number[:LONGEST_SHOWN]
    page = _templates().get_template("building_missing.html").render(shown=shown, valid=valid)
    return HTMLResponse(page, error.status, BY_WHO_ASKS)


@cache
def _templates() -> Environment:
    """Return the templates, in which everything is escaped and nothing may be missing."""
    return Environment(loader=FileSystemLoader(WEB), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
