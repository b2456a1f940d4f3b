"""Answers in JSON, written straight from what the database gave: response models cost several times as much."""

from typing import Any

import orjson
from fastapi.responses import Response


def json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:  # noqa: ANN401 - any JSON
    """Return an answer; what is already JSON text goes in as ``orjson.Fragment``."""
    return Response(orjson.dumps(content), status, headers, "application/json")
