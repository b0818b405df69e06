"""Alembic runs this file: it puts the migrations on the connection that `migrations.upgrade` opened.

The transaction is the caller's, so that all versions are applied or none.
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    render_as_batch=True,
)
context.run_migrations()
