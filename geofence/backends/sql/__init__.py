"""The record: SQLAlchemy Core and Alembic, one schema for SQLite and PostgreSQL."""
