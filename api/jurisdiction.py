"""Who may act where: a role counts inside the divisions it was given for."""

from api.accounts import Caller
from gis.errors import NotAllowed
from gis.register import divisions
from gis.terms import Role


def works_in(who: Caller, division_code: int, role: Role = Role.REGISTRAR) -> bool:
    """Tell whether a caller has a role today in a division (twelve digits) or one above it."""
    for grant in who.grants:
        low, high = divisions.extent(divisions.parse_code(grant.division))
        if grant.role == role and low <= division_code < high:
            return True
    return False


def may_register(who: Caller, division_code: int, role: Role = Role.REGISTRAR) -> None:
    """Raise NotAllowed unless the caller has a role, a registrar's where none is named, in a division.

    SecondFactorMissing tells whoever has the role but has not yet shown their second factor.
    """
    if not works_in(who, division_code, role):
        who.must_not_lack_factor()
        raise NotAllowed(who=who.name, what=f"act as {role.en} in division {division_code}")
