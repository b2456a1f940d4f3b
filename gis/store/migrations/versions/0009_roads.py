"""Roads, on which travel times are computed."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0009"
down_revision = "0008"

CLASSES = (
    "road_class IN ('motorway', 'motorway_link', 'trunk', 'trunk_link', 'primary', 'primary_link', 'secondary',"
    " 'secondary_link', 'tertiary', 'tertiary_link', 'unclassified', 'residential', 'living_street', 'service', 'road',"
    " 'track', 'pedestrian', 'footway', 'steps', 'path', 'cycleway', 'bridleway')"
)


def upgrade() -> None:
    """Make room for ways, and for the barriers upon them."""
    op.create_table(
        "road_ways",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.Text(), nullable=True),
        sa.Column("road_class", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("oneway", sa.SmallInteger(), nullable=False),
        sa.Column("maxspeed_kmh", sa.Float(), nullable=True),
        sa.Column("foot", sa.Boolean(), nullable=False),
        sa.Column("motor", sa.Boolean(), nullable=False),
        sa.Column("geometry", Geometry("LINESTRING", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint(CLASSES, name=op.f("road_ways_road_class_check")),
        sa.CheckConstraint("oneway IN (-1, 0, 1)", name=op.f("road_ways_oneway_check")),
        sa.CheckConstraint("maxspeed_kmh > 0", name=op.f("road_ways_maxspeed_kmh_check")),
        sa.CheckConstraint("foot OR motor", name=op.f("road_ways_open_check")),
        sa.ForeignKeyConstraint(["source_id"], ["reg.sources.id"], name=op.f("road_ways_source_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("road_ways_pkey")),
        schema="reg",
    )
    op.create_index("road_ways_source_id_idx", "road_ways", ["source_id", "id"], schema="reg")
    op.create_index("road_ways_geometry_idx", "road_ways", ["geometry"], schema="reg", postgresql_using="gist")
    op.create_table(
        "road_barriers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("barrier", sa.Text(), nullable=False),
        sa.Column("foot", sa.Boolean(), nullable=False),
        sa.Column("motor", sa.Boolean(), nullable=False),
        sa.Column("geometry", Geometry("POINT", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint("NOT (foot AND motor)", name=op.f("road_barriers_stops_check")),
        sa.ForeignKeyConstraint(["source_id"], ["reg.sources.id"], name=op.f("road_barriers_source_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("road_barriers_pkey")),
        schema="reg",
    )
    op.create_index("road_barriers_source_id_idx", "road_barriers", ["source_id"], schema="reg")
    op.create_index("road_barriers_geometry_idx", "road_barriers", ["geometry"], schema="reg", postgresql_using="gist")
