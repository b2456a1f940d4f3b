"""The pages of accounts in a browser: the first start, one's own account, the administrators' desk."""

import time
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, Page

from api import accounts
from gis.terms import Role

PASSWORD = "correct horse battery"  # noqa: S105 - of an account that lives for one test


@pytest.fixture
def page(database: str, browser: Browser, address: str) -> Iterator[Page]:
    """Yield a page of a browser that complains of nothing by the end."""
    assert database
    wrong: list[str] = []
    context = browser.new_context(viewport={"width": 1100, "height": 900}, base_url=address)
    opened = context.new_page()
    opened.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.set_default_timeout(15_000)
    yield opened
    assert [each for each in wrong if "status of 4" not in each] == []
    context.close()


def enrol(page: Page, name: str, role: Role) -> str:
    """Come in by a one-time link, set a password, set up a second factor; return its secret."""
    accounts.add(name)
    accounts.grant(name, role, "640000")
    page.goto(f"/enter#{accounts.make_link(name)}")
    page.fill("[name=password]", PASSWORD)
    page.click("#enter button")
    page.wait_for_selector(".qr svg")
    secret = page.inner_text(".secret code")
    page.fill("#factor [name=code]", pyotp.TOTP(secret).now())
    page.click("#factor form button")
    page.wait_for_selector(".recovery li")
    assert page.locator(".recovery li").count() == 10
    page.click("#factor button")
    page.wait_for_selector("#inside:not([hidden])")
    return secret


def test_a_registrar_s_first_start_and_a_later_sign_in(page: Page) -> None:
    secret = enrol(page, "登记员甲", Role.REGISTRAR)
    assert "registrar" in page.inner_text("#who")
    assert page.evaluate("document.cookie") == "", "no script reads the session"
    kept = next(each for each in page.context.cookies() if each["name"] == "menpai")
    assert kept["httpOnly"]
    assert kept["sameSite"] == "Strict"
    page.click("#leave")
    page.wait_for_selector("#credentials:not([hidden])")
    page.fill("[name=username]", "登记员甲")
    page.fill("#credentials [name=password]", PASSWORD)
    page.click("#credentials button")
    page.locator("#refused", has_text="second factor").wait_for()
    page.fill("#credentials [name=code]", pyotp.TOTP(secret).at(int(time.time()) + 30))
    page.click("#credentials button")
    page.wait_for_selector("#inside:not([hidden])")
    assert page.locator("#sessions tr").count() == 1
    page.goto("/review")
    page.wait_for_selector("#place:not([hidden])")


def test_an_administrator_makes_an_account_gives_it_a_role_and_closes_it(page: Page) -> None:
    enrol(page, "管理员", Role.ACCOUNT_ADMINISTRATOR)
    page.goto("/accounts")
    page.fill("#add [name=name]", "<b>新人")
    page.click("#add button")
    page.locator("#told code").wait_for()
    assert "/enter#" in page.inner_text("#told code")
    page.select_option("#grant [name=account]", "<b>新人")
    page.select_option("#grant [name=role]", "planner")
    page.fill("#grant [name=division]", "640104")
    page.click("#grant button")
    row = page.locator("#accounts tr", has_text="新人")
    row.locator("p", has_text="planner 640104000000").wait_for()
    page.select_option("#grant [name=account]", "管理员")
    page.click("#grant button")
    page.locator("#refused", has_text="nobody grants themselves").wait_for()
    row.locator("button", has_text="close").click()
    row.locator("button", has_text="open again").wait_for()
    assert page.locator("#events tr", has_text="disabled").count() == 0
    assert page.locator("#events tr", has_text="closed").count() == 1


def test_without_the_role_the_desk_shows_nothing(page: Page) -> None:
    page.goto("/accounts")
    page.locator("#refused", has_text="ign in").wait_for()
    assert page.locator("#inside").is_hidden()
