"""Where sites should stand: costs and candidates in, a plan with a bound out. Arrays only; nothing here knows a map."""

from gis.planning.siting.answers import Siting
from gis.planning.siting.centers import p_center
from gis.planning.siting.coverage import max_cover
from gis.planning.siting.covering import set_cover
from gis.planning.siting.curves import Curve, curve
from gis.planning.siting.explaining import Explained, explain
from gis.planning.siting.medians import p_median

__all__ = ["Curve", "Explained", "Siting", "curve", "explain", "max_cover", "p_center", "p_median", "set_cover"]
