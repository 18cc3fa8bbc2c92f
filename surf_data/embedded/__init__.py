"""A real PostgreSQL and a real Redis for a laptop, a demo, a test."""

from surf_data.embedded.servers import EmbeddedServers, start

__all__ = ["EmbeddedServers", "start"]
