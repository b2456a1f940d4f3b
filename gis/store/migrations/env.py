"""Alembic's entry: migrations run in the transaction and under the role the caller opened."""

from alembic import context
from geoalchemy2 import alembic_helpers

from gis.store import (  # noqa: F401 - they fill the metadata
    account_models,
    field_models,
    log_models,
    models,
    people_models,
    planning_models,
    released_models,
    road_models,
    structure_models,
)
from gis.store.base import SCHEMA, Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_schemas=True,
    version_table_schema=SCHEMA,
    include_object=alembic_helpers.include_object,
    process_revision_directives=alembic_helpers.writer,
    render_item=alembic_helpers.render_item,
)
with context.begin_transaction():
    context.run_migrations()
