"""The database: cluster, models, schema, session, access log."""
