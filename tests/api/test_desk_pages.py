"""The desks in a browser: a declaration is taken and registered, and its receipt opens the resident's own record."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from api import accounts
from gis.register.acts import today
from gis.residents import keys
from gis.terms import (
    Basis,
    CategoryReason,
    DeclarationDeclineReason,
    DeclarationKind,
    DeclarationStatus,
    DocumentType,
    MoreNeeded,
    Sex,
    Term,
)

WEB = Path(__file__).parents[2] / "api" / "web"
PICTURES = Path("/tmp/menpai-pictures")  # noqa: S108 - looked at by hand where somebody made it


@pytest.fixture
def pages(
    browser: Browser, address: str, registrar: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Page, Page]]:
    """Yield the registrar's desk, signed in, and the resident's own in a browser of their own; neither complains."""
    assert registrar
    monkeypatch.setenv("MENPAI_KEY_FILE", str(tmp_path / "keys" / "master.key"))
    keys.init()
    wrong: list[str] = []
    opened = []
    for path in ("/desk", "/record"):
        context = browser.new_context(viewport={"width": 1100, "height": 900})
        if path == "/desk":
            token = accounts.mint("registrar").token
            context.set_extra_http_headers({"Authorization": f"Bearer {token}"})
        page = context.new_page()
        page.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.set_default_timeout(30_000)
        page.goto(address.rstrip("/") + path)
        opened.append(page)
    yield opened[0], opened[1]
    for page in opened:
        page.context.close()
    assert wrong == []


def picture(page: Page, name: str) -> None:
    """Keep a picture for somebody who looks."""
    if PICTURES.is_dir():
        page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def test_a_resident_declares_and_then_sees_their_own_record(
    pages: tuple[Page, Page], structures: tuple[str, str, str]
) -> None:
    desk, own = pages
    desk.fill("[name=building]", structures[0])
    desk.dispatch_event("[name=building]", "change")
    desk.wait_for_selector("[name=dwelling] option", state="attached")
    desk.fill("[name=since]", today().isoformat())
    desk.select_option("[name=doc_type]", "PASSPORT")
    for name, value in (
        ("id_number", "X0000001"),
        ("name", "测试员甲"),
        ("birth_date", "1890-01-01"),
        ("nationality", "CHN"),
        ("hukou_code", "640402"),
    ):
        desk.fill(f"#declaration [name={name}]", value)
    picture(desk, "desk-form")
    desk.click("#declaration button")
    desk.wait_for_selector("#receipt:not([hidden])")
    code = desk.text_content("#receipt-code")
    assert code
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", code)
    picture(desk, "desk-receipt")
    desk.click("#waiting button:has-text('打开')")
    expect(desk.locator("#waiting")).to_contain_text("测试员甲")
    desk.click("#waiting button:has-text('登记')")
    expect(desk.locator("#told")).to_contain_text("已登记")

    own.fill("[name=code]", code)
    own.select_option("[name=doc_type]", "PASSPORT")
    own.fill("[name=id_number]", "X0000001")
    own.click("#key button")
    own.wait_for_selector("#record:not([hidden])")
    expect(own.locator("#record")).to_contain_text("测试员甲")
    expect(own.locator("#accesses")).to_contain_text("登记入住")
    expect(own.locator("#accesses")).to_contain_text("registrar")
    picture(own, "own-record")
    own.click("#residencies button:has-text('申请更正')")
    own.fill("#correcting [name=hukou_code]", "640104")
    picture(own, "own-correcting")
    own.click("#correcting button[value=ask]")
    expect(own.locator("#told")).to_contain_text("已提交")
    own.click("#residencies button:has-text('终止居住')")
    own.fill("#ending [name=last_day]", today().isoformat())
    own.click("#ending button[value=end]")
    expect(own.locator("#told")).to_contain_text("已终止")


def test_the_words_of_the_desks_are_the_registers() -> None:
    script = (WEB / "residency-words.js").read_text(encoding="utf-8")
    terms: dict[str, type[Term]] = {
        "DECLARATION_KINDS": DeclarationKind,
        "DECLARATION_STATUSES": DeclarationStatus,
        "MORE_NEEDED": MoreNeeded,
        "DECLINE_REASONS": DeclarationDeclineReason,
        "DOCUMENT_TYPES": DocumentType,
        "SEXES": Sex,
        "CATEGORY_REASONS": CategoryReason,
        "BASES": Basis,
    }
    for name, words in terms.items():
        block = re.search(rf"export const {name} = \{{(.*?)\}};", script, re.DOTALL)
        assert block
        said = {key: (zh, en) for key, zh, en in re.findall(r'(\w+): \["(.*?)", "(.*?)"\]', block[1])}
        assert said == {word.value: (word.zh, word.en) for word in words}
