"""The history of a command-line tool: users, projects, commands, metrics, audit, specifications, telemetry."""

from surf_data.specify.filters import AuditFilter, CommandFilter, MetricFilter, TelemetryFilter
from surf_data.specify.layer import DOMAIN, SpecifyDataLayer, SpecifyTransaction, open
