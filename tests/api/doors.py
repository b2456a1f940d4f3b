"""Every door of the service, and for whom it opens. Whoever opens a door says here for whom: test_matrix sees to it."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import shapely

from gis.terms import Role

PUBLIC, WEAK, ENDED = "public", "registrar without a second factor", "registrar until yesterday"
REGISTRAR, PLANNER, OFFICER = Role.REGISTRAR.value, Role.PLANNER.value, Role.FIELD_OFFICER.value
AUDITOR, ADMINISTRATOR = Role.AUDITOR.value, Role.ACCOUNT_ADMINISTRATOR.value
CALLERS = (PUBLIC, WEAK, ENDED, *(role.value for role in Role))
ACCOUNTS = frozenset(CALLERS) - {PUBLIC}
ALL = frozenset(CALLERS)
READERS = frozenset({REGISTRAR, PLANNER})
INSIDE, OUTSIDE = "640104", "640105"
TODAY = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()
SOON = (TODAY + dt.timedelta(days=7)).isoformat()

Place = dict[str, Any]
"""What stands in a division: its code, a building, a site, a finding, a lease, a row that waits."""


@dataclass(frozen=True)
class Rule:
    """Who may use a route, whether only inside their divisions, and what is sent there."""

    who: frozenset[str]
    bounded: bool = False
    query: Callable[[Place], dict[str, Any]] = field(default=lambda _: {})
    body: Callable[[Place], Any] = field(default=lambda _: None)
    refused: tuple[int, ...] = (401, 403)
    """What the others are told: of people, not even that there is anything."""


def shape(place: Place, step: int = 1) -> dict[str, Any]:
    """Return a small square, some steps east of a place."""
    lon, lat = place["point"]
    west = lon + 0.0005 * step
    return shapely.geometry.mapping(shapely.box(west, lat, west + 0.0002, lat + 0.0002))


def _everybody(**query: Any) -> Rule:  # noqa: ANN401 - any JSON
    return Rule(ALL, query=lambda _: query)


def _desk(**body: Any) -> Rule:  # noqa: ANN401 - any JSON
    """Return the rule of an act of registrars on what stands in their divisions."""
    return Rule(frozenset({REGISTRAR}), bounded=True, body=lambda _: body)


def _administrators(body: dict[str, Any] | None = None, **query: Any) -> Rule:  # noqa: ANN401 - any JSON
    return Rule(frozenset({ADMINISTRATOR}), bounded=True, query=lambda _: query, body=lambda _: body)


def _own(body: dict[str, Any] | None = None) -> Rule:
    return Rule(ACCOUNTS, body=lambda _: body)


def _two_parts(place: Place) -> dict[str, Any]:
    return {"parts": [{"geometry": shape(place, 1)}, {"geometry": shape(place, 2)}]}


def finding(place: Place) -> list[dict[str, Any]]:
    said = {"kind": "attribute_wrong", "seen_on": TODAY.isoformat(), "attributes": {"floors": 9}}
    return [{"uuid": str(uuid.uuid4()), "building": place["number"], "based_on_seq": place["seq"], **said}]


def lease(place: Place) -> dict[str, Any]:
    return {"uuid": str(uuid.uuid4()), "division": place["code"], "many": 2, "expires_on": SOON}


def _declaration(place: Place) -> dict[str, Any]:
    said = {"uuid": str(uuid.uuid4()), "declarer": DECLARER, "building": place["number"]}
    return said | {"since": (TODAY - dt.timedelta(days=3)).isoformat()}


def _persons(body: Callable[[Place], Any] = lambda _: None) -> Rule:
    """Return the rule of an act on people: the registrars of the place, and elsewhere there is no such thing."""
    return Rule(frozenset({REGISTRAR}), bounded=True, body=body, refused=(401, 403, 404))


def _nobody(**body: Any) -> Rule:  # noqa: ANN401 - any JSON
    return Rule(frozenset(), body=lambda _: body, refused=(401, 403, 404))


DECLARER = {"name": "测试员", "doc_type": "PASSPORT", "id_number": "X0000001", "birth_date": "1890-01-01"}
PLANS = Rule(frozenset({PLANNER}), bounded=True, refused=(401, 403, 404))
KEY = {"code": "0000-0000-0000", "doc_type": "PASSPORT", "id_number": "X0000001"}
PAPER = {"source_document": "宁建〔2026〕1号"}
RULES: dict[str, Rule] = {
    # the pages: files, and what a building's public page says
    **{f"GET {path}": _everybody() for path in ("/", "/enter", "/review", "/own", "/accounts", "/docs")},
    **{f"GET {path}": _everybody() for path in ("/desk", "/record")},
    **{f"GET {path}": _everybody() for path in ("/openapi.json", "/healthz", "/readyz", "/b/{number}")},
    "GET /web": _everybody(),
    # signing in, and one's own account
    "POST /api/token": Rule(frozenset()),
    "POST /api/first-start": Rule(frozenset(), body=lambda _: {"token": "made up"}),
    "POST /api/session": Rule(frozenset(), body=lambda _: {"name": "nobody", "password": "made up"}),
    "GET /api/session": _everybody(),
    "GET /api/openid": _everybody(),
    "GET /api/openid/start": Rule(frozenset()),  # no provider is set up here: test_openid has one
    "GET /api/openid/return": Rule(frozenset(), query=lambda _: {"state": "made up", "code": "made up"}),
    "GET /api/account/sessions": _own(),
    "DELETE /api/account/sessions/{session_id}": _own(),
    "POST /api/account/proof": Rule(frozenset(), body=lambda _: {"password": "made up"}),
    "POST /api/account/second-factor": Rule(frozenset()),  # tokens for programs prove nothing
    "POST /api/account/second-factor/confirmation": Rule(frozenset(), body=lambda _: {"code": "000000"}),
    "POST /api/account/second-factor/proof": Rule(frozenset(), body=lambda _: {"code": "000000"}),
    "PUT /api/account/password": Rule(frozenset(), body=lambda _: {"password": "correct horse battery"}),
    "POST /api/account/tokens": Rule(frozenset(), body=lambda _: {"roles": ["planner"]}),
    # those who manage accounts
    "GET /api/accounts": Rule(frozenset({ADMINISTRATOR})),
    "GET /api/accounts/events": Rule(frozenset({ADMINISTRATOR, AUDITOR})),
    "GET /api/log": Rule(frozenset({AUDITOR})),
    "POST /api/accounts": Rule(frozenset(), body=lambda _: {"name": "somebody new"}),
    **{f"POST /api/accounts/{{name}}/{path}": Rule(frozenset()) for path in ("link",)},
    "POST /api/accounts/{name}/grants": Rule(
        frozenset(), body=lambda place: {"role": "planner", "division": place["code"]}
    ),
    "DELETE /api/accounts/{name}/grants": Rule(
        frozenset(), query=lambda place: {"role": "planner", "division": place["code"]}
    ),
    **{f"{verb} /api/accounts/{{name}}/disabled": Rule(frozenset()) for verb in ("PUT", "DELETE")},
    "DELETE /api/accounts/{name}/sessions": Rule(frozenset()),
    "DELETE /api/accounts/{name}/second-factor": Rule(frozenset()),
    "POST /api/accounts/{name}/identities": Rule(frozenset(), body=lambda _: {"issuer": "i", "subject": "s"}),
    "DELETE /api/accounts/{name}/identities": Rule(frozenset()),
    # structures: read by every account, changed by the registrars of the place
    "GET /api/map": _everybody(),
    "GET /api/buildings/{number}": Rule(ACCOUNTS),
    "GET /api/buildings": Rule(ACCOUNTS, query=lambda place: dict(zip(("lon", "lat"), place["point"], strict=True))),
    "POST /api/buildings": Rule(frozenset({REGISTRAR}), bounded=True, body=lambda place: {"geometry": shape(place, 7)}),
    "POST /api/buildings/merge": Rule(
        frozenset({REGISTRAR}),
        bounded=True,
        body=lambda place: {"merged": [place["number"], place["second"]], "geometry": shape(place, 9)},
    ),
    "POST /api/buildings/{number}/split": Rule(frozenset({REGISTRAR}), bounded=True, body=_two_parts),
    "POST /api/buildings/{number}/rebuild": Rule(
        frozenset({REGISTRAR}), bounded=True, body=lambda place: {"geometry": shape(place, 11)}
    ),
    "POST /api/buildings/{number}/move": Rule(
        frozenset({REGISTRAR}), bounded=True, body=lambda place: {"geometry": shape(place, 13)}
    ),
    "POST /api/buildings/{number}/correct": _desk(floors=4),
    "POST /api/buildings/{number}/change": _desk(floors=5),
    "POST /api/buildings/{number}/demolish": _desk(),
    "POST /api/buildings/{number}/retire": _desk(),
    "POST /api/buildings/{number}/reinstate": _desk(),
    "POST /api/changes/{seq}/revert": _desk(),
    "GET /api/changes": Rule(READERS),
    "GET /api/buildings/{number}/history": Rule(READERS),
    "GET /api/references": Rule(READERS, query=lambda _: {"source": "test", "code": "1"}),
    "GET /api/divisions/{code}/counts": _everybody(),
    "GET /api/statistics": _everybody(),
    "GET /api/statistics category": Rule(frozenset({PLANNER}), query=lambda _: {"category": "each"}),
    # sites and sheds
    "GET /api/premises": Rule(READERS, query=lambda place: {"division": place["code"]}),
    "GET /api/premises/due": Rule(READERS, query=lambda place: {"division": place["code"]}),
    "GET /api/premises/{premises_id}": Rule(READERS),
    "GET /api/premises/sheds/{number}/inspections": Rule(READERS),
    "POST /api/premises": Rule(
        frozenset({REGISTRAR}),
        bounded=True,
        body=lambda place: {"name": f"又一{uuid.uuid4()}", "division": place["code"]},
    ),
    "POST /api/premises/{premises_id}/correct": _desk(toilets=2),
    "POST /api/premises/{premises_id}/change": _desk(toilets=3),
    "POST /api/premises/{premises_id}/renew": _desk(permit_until=SOON, permit="宁建2", **PAPER),
    "POST /api/premises/{premises_id}/check": _desk(checked_by="住建局", **PAPER),
    "POST /api/premises/{premises_id}/close": _desk(),
    "POST /api/premises/{premises_id}/sheds/renew": _desk(expires_on=SOON, **PAPER),
    "POST /api/premises/sheds/{number}/renew": _desk(expires_on=SOON, **PAPER),
    "POST /api/premises/sheds/{number}/inspect": _desk(found="still_there"),
    # queues, findings, leases
    "GET /api/reviews": Rule(frozenset({REGISTRAR}), bounded=True, query=lambda place: {"division": place["code"]}),
    "POST /api/reviews/{batch}/{row}/decision": _desk(decision="refuse"),
    "GET /api/roster-reviews": Rule(frozenset({REGISTRAR})),  # those of one's own divisions
    "POST /api/roster-reviews/{roster}/{line}/open": _persons(),
    "POST /api/roster-reviews/{roster}/{line}/place": _persons(lambda place: {"building": place["number"]}),
    "POST /api/roster-reviews/{roster}/{line}/refuse": _persons(),
    "POST /api/findings": Rule(frozenset({OFFICER}), body=finding),  # each is answered for itself: see below
    "GET /api/findings": Rule(
        frozenset({REGISTRAR, OFFICER}), bounded=True, query=lambda place: {"division": place["code"]}
    ),
    "GET /api/findings/{finding}": Rule(frozenset({REGISTRAR, OFFICER}), bounded=True),
    "POST /api/findings/{finding}/accept": _desk(),
    "POST /api/findings/{finding}/decline": _desk(reason="not_so"),
    "POST /api/leases": Rule(frozenset({OFFICER}), bounded=True, body=lease),
    "GET /api/leases": Rule(ACCOUNTS),  # one's own
    "DELETE /api/leases/{lease_uuid}": Rule(frozenset({REGISTRAR}), bounded=True),
    # declarations, and the resident's own desk, which a receipt opens and no account
    "POST /api/declarations": _persons(_declaration),
    "GET /api/declarations": Rule(frozenset({REGISTRAR})),  # those of one's own divisions
    "POST /api/declarations/{declaration}/open": _persons(),
    "POST /api/declarations/{declaration}/more": _persons(lambda _: {"needed": ["document"]}),
    "POST /api/declarations/{declaration}/register": _persons(),
    "POST /api/declarations/{declaration}/decline": _persons(lambda _: {"reason": "not_living_there"}),
    "POST /api/declarations/{declaration}/withdraw": _persons(),
    "GET /api/buildings/{number}/dwellings": Rule(frozenset({REGISTRAR})),  # rooms, and nothing of who is in them
    "GET /api/addresses": Rule(READERS, query=lambda place: {"text": "测试路1号", "division": place["code"]}),
    "POST /api/record": _nobody(**KEY),
    "POST /api/record/end": _nobody(key=KEY, residency=1, last_day=TODAY.isoformat()),
    "POST /api/record/correction": _nobody(key=KEY, residency=1, declarer=DECLARER, since="2026-01-01"),
    # plans: asked for, read and called off by the planners of the place
    "POST /api/plans": Rule(
        frozenset({PLANNER}),
        bounded=True,
        body=lambda place: {"kind": "clinic", "division": place["code"], "sites": 1},
    ),
    "GET /api/plans": Rule(frozenset({PLANNER})),  # those of one's own divisions
    "GET /api/plans/{plan}": PLANS,
    "GET /api/plans/{plan}/file": PLANS,
    "DELETE /api/plans/{plan}": PLANS,
    # tiles: structures for all, finer cells and categories for planners
    "GET /tiles/buildings/{z}/{x}/{y}.mvt": _everybody(),
    "GET /tiles/divisions/{z}/{x}/{y}.mvt": _everybody(),
    "GET /tiles/facilities/{z}/{x}/{y}.mvt": _everybody(),
    "GET /tiles/cells/{z}/{x}/{y}.mvt": _everybody(),
    "GET /tiles/roads/{z}/{x}/{y}.mvt": _everybody(),
    "GET /tiles/divisions/{z}/{x}/{y}.mvt category": Rule(
        frozenset({PLANNER}), query=lambda _: {"category": "floating"}
    ),
    "GET /tiles/cells/{z}/{x}/{y}.mvt category": Rule(frozenset({PLANNER}), query=lambda _: {"category": "floating"}),
    "GET /tiles/cells/{z}/{x}/{y}.mvt finer": Rule(frozenset({PLANNER}), query=lambda _: {"size": "100"}),
    # last, for they end the session of whoever asks
    "DELETE /api/account/sessions": _own(),
    "DELETE /api/token": _own(),
    "DELETE /api/session": _everybody(),
}
"""Each route, and where one door opens wider for some a word behind it. Acts that need a fresh proof are for nobody
here: the matrix comes with tokens for programs; tests of their own open them (test_duties, test_second_factors)."""
