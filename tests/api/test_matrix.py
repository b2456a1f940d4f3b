"""Every role at every route, in every form, inside and outside its divisions: nothing comes back that should not."""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from fastapi.routing import iter_route_contexts
from psycopg.types.json import Jsonb

from api import accounts, app
from gis.residents import keys
from gis.residents.identities import Identity, seal
from gis.terms import Role
from tests.api.answers import PLAN
from tests.api.doors import CALLERS, ENDED, INSIDE, OUTSIDE, PUBLIC, RULES, WEAK, Place, Rule, finding, lease, shape

FORMS = ("application/json", "text/html", "application/geo+json", "text/csv")
NOT_THERE = {"GET /api/references"}
"""Reads that find nothing in these two counties; every other read must bring something to whoever may read it."""
REFUSED = (401, 403)


@pytest.fixture
def places(database: str, address: str, counted: dt.date) -> dict[str, Place]:
    """Fill two neighbouring counties with one of everything."""
    assert counted
    keys.init()
    for name, role in (("seed", Role.REGISTRAR), ("seeding officer", Role.FIELD_OFFICER)):
        accounts.add(name)
        accounts.grant(name, role, "640000")
    with _client(address, "seed") as desk, _client(address, "seeding officer") as officer:
        return {code: _filled(database, desk, officer, code) for code in (INSIDE, OUTSIDE)}


def _client(address: str, name: str) -> httpx.Client:
    token = accounts.mint(name).token
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60)


def _filled(database: str, desk: httpx.Client, officer: httpx.Client, code: str) -> Place:
    """Make one of everything in a county; return what it is called."""
    with psycopg.connect(database) as connection:
        lon, lat = connection.execute(
            "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(boundary) p FROM reg.divisions WHERE code = %s) d",
            (int(code.ljust(12, "0")),),
        ).fetchone() or (0, 0)
    place: Place = {"code": code, "point": (lon, lat), "z": 14, "x": 13030, "y": 6290, "session_id": 1}
    for name, step in (("number", 20), ("second", 22)):
        made = desk.post("/api/buildings", json={"geometry": shape(place, step), "floors": 3}).json()
        place |= {name: made["buildings"][0], "seq": made["seq"]}
    site = desk.post("/api/premises", json={"name": f"工地{code}", "division": code})
    place["premises_id"] = site.json()["premises"]
    found = officer.post("/api/findings", json=(sent := finding(place))).json()["findings"][0]
    assert found["status"] == "open", found
    place["finding"] = sent[0]["uuid"]
    declared = desk.post("/api/declarations", json=RULES["POST /api/declarations"].body(place))
    assert declared.status_code == 201, declared.text
    place["declaration"] = declared.json()["declaration"]
    leased = lease(place)
    assert officer.post("/api/leases", json=leased).status_code == 201
    return place | {"lease_uuid": leased["uuid"], "plan": _planned(database, code)} | _queued(database, place)


def _planned(database: str, code: str) -> str:
    """Keep a plan that was made in a place."""
    with psycopg.connect(database) as connection:
        [(plan,)] = connection.execute(
            "INSERT INTO reg.plans (id, actor, kind, division_code, question, status, ended_at, answer, data_version)"
            " VALUES (gen_random_uuid(), 'seed', 'clinic', %s, '{}', 'made', now(), %s,"
            ' \'{"event_seq": 1, "roads": []}\') RETURNING id',
            (int(code.ljust(12, "0")), Jsonb(PLAN)),
        ).fetchall()
    return str(plan)


def _queued(database: str, place: Place) -> Place:
    """Let a row wait in a place."""
    with psycopg.connect(database) as connection:
        batch = connection.execute(
            "WITH source AS (INSERT INTO reg.sources (name) VALUES (%s) RETURNING id)"
            " INSERT INTO reg.batches (kind, source_id, file_name, actor, options, registered, unchanged, queued,"
            " refused) SELECT 'buildings', id, 'f.csv', 'seed', '{}', 0, 0, 1, 0 FROM source RETURNING id",
            (f"测绘{place['code']}",),
        ).fetchone()
        assert batch is not None
        connection.execute(
            "INSERT INTO reg.batch_rows (batch_id, row, outcome, reason, content, division_code, building_number)"
            " VALUES (%s, 1, 'queued', 'doubtful_duplicate', '{}', %s, %s)",
            (batch[0], int(place["code"].ljust(12, "0")), int(place["number"])),
        )
        roster = connection.execute(
            "INSERT INTO reg.batches (kind, source_id, file_name, actor, options, registered, unchanged, queued,"
            " refused) SELECT 'roster', source_id, 'r.csv', 'seed', '{}', 0, 0, 1, 0 FROM reg.batches WHERE id = %s"
            " RETURNING id",
            batch,
        ).fetchone()
        assert roster is not None
        with keys.open_store() as store:
            [key] = store.make(1)
        connection.execute(
            "INSERT INTO reg.roster_rows (batch_id, row, outcome, reason, division_code, key_id, envelope, during,"
            " basis, expires_on) VALUES (%s, 1, 'queued', 'dwelling_missing', %s, %s, %s, '[2026-01-01,)',"
            " 'household_register', current_date + 90)",
            (roster[0], int(place["code"].ljust(12, "0")), UUID(bytes=key.id), seal(Identity("测试员"), key)),
        )
    return {"batch": batch[0], "row": 1, "roster": roster[0], "line": 1}


@pytest.fixture(params=CALLERS)
def caller(request: pytest.FixtureRequest, database: str, address: str) -> Iterator[tuple[str, httpx.Client]]:
    """Yield each kind of caller in turn, with a client of an account that works in the county inside."""
    kind: str = request.param
    if kind == PUBLIC:
        with httpx.Client(base_url=address, timeout=60) as client:
            yield kind, client
        return
    accounts.add("caller")
    accounts.grant("caller", Role(kind) if kind in set(Role) else Role.REGISTRAR, INSIDE)
    client = _client(address, "caller")
    with psycopg.connect(database) as connection:
        if kind == WEAK:
            connection.execute("UPDATE reg.account_tokens SET second_factor_at = NULL")
        if kind == ENDED:
            connection.execute("UPDATE reg.account_grants SET valid_until = current_date - 1")
    with client:
        yield kind, client


def _ask(client: httpx.Client, key: str, rule: Rule, place: Place, form: str) -> httpx.Response:
    """Send a request by a rule, naming what stands in a place."""
    method, path = key.split()[:2]
    there = path.format(**place, name="seed") if path != "/web" else "/web/icon.svg"
    body = rule.body(place)
    sent: dict[str, Any] = {} if body is None else {"json": body}
    if path == "/api/token" and method == "POST":
        sent = {"data": {"username": "nobody", "password": "made up"}}
    return client.request(method, there, params=rule.query(place), headers={"Accept": form}, **sent)


def _renew(database: str) -> None:
    """Let an account that ended its sessions go on, and forget failures."""
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE reg.account_tokens SET revoked_at = NULL WHERE revoked_at IS NOT NULL")
        connection.execute("DELETE FROM reg.account_attempts")


def test_every_route_is_in_the_table() -> None:
    found = {
        f"{method} {context.path}"
        for context in iter_route_contexts(app.create().routes)
        for method in (context.methods or {"GET"}) - {"HEAD"}
    }
    assert found == {" ".join(key.split()[:2]) for key in RULES}


@pytest.mark.long
def test_nobody_reads_or_does_what_is_not_theirs(
    places: dict[str, Place], caller: tuple[str, httpx.Client], database: str
) -> None:
    kind, client = caller
    wrong: list[tuple[str, str, str, int]] = []
    for key, rule in RULES.items():
        for code, place in places.items():
            for form in FORMS if key.startswith("GET") else FORMS[:1]:
                answer = _ask(client, key, rule, place, form)
                allowed = kind in rule.who and (code == INSIDE or not rule.bounded)
                right = answer.status_code not in REFUSED if allowed else answer.status_code in {*rule.refused, 429}
                if allowed and key.startswith("GET") and key not in NOT_THERE:
                    right = answer.is_success
                if not right or answer.status_code >= 500 or "argon2" in answer.text:
                    wrong.append((key, code, form, answer.status_code))
            if answer.status_code in {204, 401, 429}:
                _renew(database)
    assert wrong == []
