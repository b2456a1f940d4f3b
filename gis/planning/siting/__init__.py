"""Where sites should stand: costs and candidates in, a plan with a bound out. Arrays only; nothing here knows a map."""

from gis.planning.siting.answers import Siting
from gis.planning.siting.medians import p_median

__all__ = ["Siting", "p_median"]
