"""Configurations of other systems, put into ours."""

from streams.migrate.alertmanager import Migrated, migrate

__all__ = ["Migrated", "migrate"]
