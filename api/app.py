"""The service, from top to bottom."""

from typing import Any

from fastapi import FastAPI

from api import (
    accesses,
    addressing,
    administering,
    buildings,
    changes,
    declaring,
    divisions,
    errors,
    health,
    leases,
    map,  # noqa: A004 - the map of the page
    openid,
    own_account,
    own_desk,
    pages,
    plans,
    premises,
    registering,
    reviews,
    roster_reviews,
    signing_in,
    statistics,
    surveys,
    tiles,
)
from api.guard import Guard

DESCRIPTION = """宁夏居住类建筑物登记。 Register of residential buildings of Ningxia.

Structures and released counts only: nothing here tells who lives where. Errors are problem details (RFC 9457).
Longitude and latitude are in CGCS2000 (EPSG:4490)."""


def create() -> FastAPI:
    """Return the application with all its doors."""
    app = FastAPI(
        title="门牌 Menpai",
        version="0.1.0",
        description=DESCRIPTION,
        docs_url=None,  # FastAPI's own page loads from elsewhere; pages.py serves one from our files
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    errors.install(app)
    app.add_middleware(Guard)
    app.include_router(health.router)
    app.include_router(signing_in.router)
    app.include_router(openid.router)
    app.include_router(own_account.router)
    app.include_router(administering.router)
    app.include_router(accesses.router)
    app.include_router(map.router)
    app.include_router(buildings.router)
    app.include_router(addressing.router)
    app.include_router(registering.router)
    app.include_router(changes.router)
    app.include_router(premises.router)
    app.include_router(reviews.router)
    app.include_router(roster_reviews.router)
    app.include_router(surveys.router)
    app.include_router(leases.router)
    app.include_router(declaring.router)
    app.include_router(own_desk.router)
    app.include_router(divisions.router)
    app.include_router(statistics.router)
    app.include_router(plans.router)
    app.include_router(tiles.router)
    pages.mount(app)
    _describe_problems(app)
    return app


def _describe_problems(app: FastAPI) -> None:
    """Let the description of the interface know what a problem looks like."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        schema = plain()
        schema.setdefault("components", {}).setdefault("schemas", {})["Problem"] = errors.PROBLEM_SCHEMA
        for operations in schema["paths"].values():
            for operation in operations.values():
                if "requestBody" in operation:  # the guard counts the bytes of every body
                    operation["responses"] |= {str(code): each for code, each in errors.documented(413).items()}
        return schema

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way to extend it
