"""``menpai account``: what whoever runs the machine does to accounts, and what of it is told."""

from collections.abc import Callable

import pytest

from api import accounts, cli
from api.commands import running
from gis.terms import Role

Said = Callable[..., str]


@pytest.fixture
def told(database: str, capsys: pytest.CaptureFixture[str]) -> Said:
    """Run a command that must succeed; return what it printed."""
    assert database

    def run(*words: str) -> str:
        assert cli.answer(["account", *words]) == cli.DONE, capsys.readouterr().err
        return capsys.readouterr().out.strip()

    return run


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that must be refused; return the sentence."""
    assert cli.answer(["account", *words]) == cli.REFUSED
    return capsys.readouterr().err


def test_roles_are_given_and_ended_and_duties_stay_apart(told: Said, capsys: pytest.CaptureFixture[str]) -> None:
    told("add", "甲", "--role", "registrar", "--division", "640104")
    assert "only one of" in refused(capsys, "grant", "甲", "account_administrator", "640000")
    told("revoke", "甲", "registrar", "640104")
    told("grant", "甲", "account_administrator", "640000")
    assert "last administrator" in refused(capsys, "disable", "甲")
    assert "no role" in refused(capsys, "revoke", "甲", "planner", "640104")
    acts = [line.split("\t")[1:4] for line in told("history", "甲").splitlines()]
    assert [act for _, act, _ in acts] == ["granted", "grant_changed", "link_made", "granted", "added"]
    assert all(actor.startswith("host:") for actor, _, _ in acts)


def test_a_closed_account_is_opened_again(told: Said) -> None:
    told("add", "甲", "--role", "planner")
    told("disable", "甲")
    assert "disabled" in told("list")
    told("enable", "甲")
    assert "disabled" not in told("list")


def test_a_token_is_narrowed_and_sessions_end(told: Said, capsys: pytest.CaptureFixture[str]) -> None:
    told("add", "甲", "--role", "registrar")
    told("grant", "甲", "field_officer", "640104")
    token = told("token", "甲", "--role", "field_officer", "--hours", "1")
    assert {grant.role for grant in accounts.caller_of(token).grants} == {Role.FIELD_OFFICER}
    assert told("sessions", "甲").startswith("甲: 2 ")
    with pytest.raises(Exception, match=r"[Ss]ign in"):
        accounts.caller_of(token)
    assert "--hours" in refused(capsys, "token", "甲", "--hours", "13")


def test_an_identity_is_linked_once_and_parted(told: Said, capsys: pytest.CaptureFixture[str]) -> None:
    told("add", "甲")
    told("add", "乙")
    told("identity", "甲", "subject", "--issuer", "https://idp.example")
    assert "linked already" in refused(capsys, "identity", "乙", "subject", "--issuer", "https://idp.example")
    assert "MENPAI_OIDC_ISSUER" in refused(capsys, "identity", "乙", "subject")
    told("identity", "甲", "--none")
    told("identity", "乙", "subject", "--issuer", "https://idp.example")
    told("reset-factor", "乙")


def test_the_first_start_prints_links_until_somebody_sets_a_password(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert database

    def links() -> list[str]:
        running._tell_links("http://127.0.0.1:8000/")  # noqa: SLF001 - what ``menpai run`` prints at each start
        return [line.rpartition("#")[2] for line in capsys.readouterr().out.splitlines()]

    first, again = links(), links()
    assert len(first) == len(again) == 2
    accounts.redeem_link(again[0], "correct horse battery")
    accounts.redeem_link(again[1])
    assert len(links()) == 1, "only the administrator, who came in and set no password yet"
    accounts.disable("planner")
    assert len(links()) == 1
