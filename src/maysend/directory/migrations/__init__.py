"""Alembic's migrations of the directory, run when a directory is opened."""
