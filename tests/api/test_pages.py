"""A number that no building has, or that is none, is told to a browser as a page and to a program as a problem."""

import httpx
import pytest

from gis import numbering

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
UNKNOWN = numbering.issue(999_999_997, "residential")


@pytest.mark.parametrize(
    ("number", "status", "said"), [(UNKNOWN, 404, numbering.show(UNKNOWN)), ("12<b>", 422, "校验码不符")]
)
def test_a_browser_is_shown_a_page(client: httpx.Client, number: str, status: int, said: str) -> None:
    answer = client.get(f"/b/{number}", headers=BROWSER)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert said in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize(
    ("number", "status", "name"), [(UNKNOWN, 404, "building_not_found"), ("12<b>", 422, "invalid_number")]
)
@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_a_program_is_told_the_problem(client: httpx.Client, number: str, status: int, name: str, accept: str) -> None:
    answer = client.get(f"/b/{number}", headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:menpai:problem:{name}"
    assert answer.headers["vary"] == "Accept"
