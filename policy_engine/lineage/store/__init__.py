"""Snapshots kept in one SQLite file or in PostgreSQL: by digest, by instant, and what changed between two of them."""
