"""Alembic migrations, from the first table on; they travel in the package."""
