"""The channels that the settings name."""

from urllib.parse import quote

from surf_data.daylight.settings import DaylightSettings
from surf_data.errors import ConfigurationError
from surf_data.kernel.monitoring import AppriseChannel, Channel, SnsChannel
from surf_data.kernel.secret import Secret


def channels(settings: DaylightSettings) -> list[Channel]:
    """Return the channels for alerts: none where alerts are off, and none in development.

    Raises:
        ConfigurationError: an address has no way to it; the error names the setting.
    """
    if not settings.alerts_enabled or settings.node_env != "production":
        return []
    found: list[Channel] = []
    if settings.alert_email is not None:
        if settings.alert_smtp_url is None:
            raise ConfigurationError("alert_email needs alert_smtp_url: a server that sends", setting="alert_smtp_url")
        url = settings.alert_smtp_url.reveal()
        joined = f"{url}{'&' if '?' in url else '?'}to={quote(settings.alert_email)}"
        found.append(AppriseChannel("alert_email", Secret(joined)))
    if settings.alert_slack_webhook is not None:
        found.append(AppriseChannel("alert_slack_webhook", settings.alert_slack_webhook))
    if settings.alert_sns_topic is not None:
        found.append(SnsChannel(settings.alert_sns_topic))
    if settings.alert_urls is not None:
        found += [
            AppriseChannel(f"alert_urls_{number}", Secret(url.strip()))
            for number, url in enumerate(settings.alert_urls.reveal().split(","), 1)
        ]
    return found


def thresholds(settings: DaylightSettings) -> dict[str, float]:
    """Return the thresholds that are set, by the id of their rule."""
    found = {
        "high_latency": settings.latency_threshold,
        "high_error_rate": settings.error_threshold,
        "connection_limit": settings.connection_threshold,
    }
    return {rule: threshold for rule, threshold in found.items() if threshold is not None}
