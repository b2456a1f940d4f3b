"""Whether what stands in the register is invented, so that every page and map can say so."""

from sqlalchemy import Connection, text

from gis.numbering import KIND_DIGITS, TEST
from gis.register.divisions import TEST_DIVISION

FIRST_TRIAL_NUMBER = KIND_DIGITS[TEST] * 10**11
"""Numbers of trials and fiction begin with 9."""


def is_fictional(connection: Connection) -> bool:
    """Tell whether any building outside the test division is invented; other cities' files go into that one."""
    found: bool = connection.execute(
        text("SELECT EXISTS (SELECT FROM reg.buildings WHERE number >= :first AND division_code <> :trial)"),
        {"first": FIRST_TRIAL_NUMBER, "trial": TEST_DIVISION},
    ).scalar_one()
    return found


def is_invented(number: int, division_code: int) -> bool:
    """Tell whether one building is invented."""
    return number >= FIRST_TRIAL_NUMBER and division_code != TEST_DIVISION
