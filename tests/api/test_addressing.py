"""The address box: what somebody who types an address may mean, and who may ask."""

from typing import Any

import httpx
import pytest

Structures = tuple[str, str, str]
STREET = "银川市兴庆区测试路1号"


def asked(client: httpx.Client, text: str, **more: str) -> dict[str, Any]:
    answer = client.get("/api/addresses", params={"text": text, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def numbers(answer: dict[str, Any]) -> list[str]:
    return [one["number"] for one in answer["candidates"]]


def test_an_address_in_another_hand_leads_to_its_building_and_room(
    planner: httpx.Client, structures: Structures
) -> None:
    found = asked(planner, "宁夏银川兴庆区测试路一号院1#楼６０２室")
    assert (found["outcome"], found["grade"], found["room"]) == ("linked", "elements", "602")
    assert numbers(found) == [structures[0]]


@pytest.mark.parametrize("typed", ["兴庆区测", "兴庆区测试路", "兴庆区测试路1", "兴庆区测试路1号"])
def test_what_begins_so_is_offered_while_it_is_typed(planner: httpx.Client, structures: Structures, typed: str) -> None:
    found = asked(planner, typed)
    assert found["outcome"] != "linked"
    assert set(numbers(found)) == set(structures[:2])


def test_candidates_say_what_contradicts(planner: httpx.Client, structures: Structures) -> None:
    found = asked(planner, "兴庆区大新镇测试路1号2号楼")
    assert (found["outcome"], found["reason"]) == ("review", "division_contradicts")
    assert numbers(found) == [structures[1]]
    one = found["candidates"][0]
    assert one["agrees"] == ["place", "number", "building"]
    assert one["contradicts"] == ["division_contradicts"]


def test_without_a_county_it_asks_for_one(planner: httpx.Client, structures: Structures) -> None:
    assert structures
    assert asked(planner, "测试路1号1号楼")["reason"] == "county_not_stated"
    assert asked(planner, "测试路1号1号楼", division="640104")["outcome"] == "linked"
    assert asked(planner, "金凤区测试路1号1号楼")["outcome"] == "unmatched"


def test_a_building_registered_since_is_found_after_a_while(
    planner: httpx.Client, structures: Structures, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api import addressing  # noqa: PLC0415 - its own clock is turned forward

    assert asked(planner, f"{STREET}1号楼")["outcome"] == "linked"
    monkeypatch.setattr(addressing, "AT_LEAST_S", 0.0)
    assert numbers(asked(planner, f"{STREET}2号楼")) == [structures[1]]


def test_nobody_asks_without_an_account_or_at_length(client: httpx.Client, planner: httpx.Client) -> None:
    assert client.get("/api/addresses", params={"text": STREET}).status_code == 401
    for wrong in ({}, {"text": ""}, {"text": "路" * 201}, {"text": STREET, "division": "1" * 13}):
        assert planner.get("/api/addresses", params=wrong).status_code == 422


@pytest.mark.parametrize("text", ["\x00", "%", "'; DROP TABLE reg.addresses;--", "※", "１" * 100, "號" * 200, "🏠"])
def test_no_text_breaks_the_box(planner: httpx.Client, structures: Structures, text: str) -> None:
    assert structures
    assert asked(planner, text, division="640104")["outcome"] in {"review", "unmatched"}
