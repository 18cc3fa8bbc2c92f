"""What a data layer observes of itself, for Prometheus and OpenTelemetry; and alerts, sent in a thread of their own."""

from surf_data.kernel.histograms import QueryHistogram, merged
from surf_data.kernel.monitoring.channels import AppriseChannel, Channel, Message, SnsChannel
from surf_data.kernel.monitoring.dispatcher import Dispatcher
from surf_data.kernel.monitoring.figures import Figures, Observed, figures
from surf_data.kernel.monitoring.prometheus import PrometheusCollector
from surf_data.kernel.monitoring.telemetry import instrument, spans

__all__ = [
    "AppriseChannel",
    "Channel",
    "Dispatcher",
    "Figures",
    "Message",
    "Observed",
    "PrometheusCollector",
    "QueryHistogram",
    "SnsChannel",
    "figures",
    "instrument",
    "merged",
    "spans",
]
