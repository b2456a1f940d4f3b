"""Travel time on the stored roads, from many points to many others; without roads, by the great circle."""

from gis.planning.roads.networks import Network, network
from gis.planning.roads.speeds import Mode
from gis.planning.roads.straight import great_circle
from gis.planning.roads.times import Far, Note, TravelTimes

__all__ = ["Far", "Mode", "Network", "Note", "TravelTimes", "great_circle", "network"]
