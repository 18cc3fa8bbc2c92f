"""Keeps data exactly as long as it should be: archives what has expired, proves the archive, and only then deletes."""

from surf_data.daylight.retention.service import RetentionService

__all__ = ["RetentionService"]
