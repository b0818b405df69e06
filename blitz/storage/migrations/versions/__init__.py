"""One file per version of the schema, read by Alembic."""
