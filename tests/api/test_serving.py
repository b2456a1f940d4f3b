"""The socket, the probes that look after the service, and what a second start may rely on."""

import socket

import httpx
import psycopg
import pytest

from api import serving
from gis.errors import BadArgument
from gis.store import schema


def test_an_answer_does_not_wait_for_the_other_side() -> None:
    with serving.open_socket("127.0.0.1", 0, search=False) as bound:
        assert bound.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_busy_port_is_refused_or_passed_over_as_asked() -> None:
    with serving.open_socket("127.0.0.1", 0, search=False) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadArgument, match="busy"):
            serving.open_socket("127.0.0.1", port, search=False)
        with serving.open_socket("127.0.0.1", port, search=True) as other:
            assert other.getsockname()[1] > port


def test_the_address_is_one_a_browser_opens() -> None:
    with serving.open_socket("0.0.0.0", 0, search=False) as bound:  # noqa: S104 - closed again at once
        assert serving.url_of(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}/"


def test_the_service_is_not_ready_at_another_schema(
    database: str, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/readyz").status_code == 200
    with monkeypatch.context() as newer:
        newer.setattr(schema, "_digest", lambda: "of a later version")
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
    with psycopg.connect(database) as connection:
        (comment,) = connection.execute("SELECT obj_description('calc'::regnamespace)").fetchone() or (None,)
    assert comment
    assert client.get("/readyz").status_code == 200
