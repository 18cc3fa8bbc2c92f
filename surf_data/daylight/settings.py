"""What the day planner can be told, beside the kernel's settings."""

from typing import Any, Literal

import attrs

from surf_data.kernel.secret import Secret
from surf_data.kernel.settings import Settings, SettingsKeywords, choice, number, secret, setting, text


def _unless_false(value: Any) -> bool:
    """Return whether a switch is on, which only the word ``false`` turns off."""
    return value if isinstance(value, bool) else value.strip().lower() != "false"


def _only_true(value: Any) -> bool:
    """Return whether a switch is on, which only the word ``true`` turns on."""
    return value if isinstance(value, bool) else value.strip().lower() == "true"


@attrs.frozen(kw_only=True)
class DaylightSettings(Settings):
    """The settings of the day planner; `surf_data.daylight.open` takes them as keywords."""

    #: ``production`` sends alerts; ``development`` and ``test`` do not.
    node_env: Literal["development", "test", "production"] = setting(
        "development",
        choice("development", "test", "production"),
        "development, test or production",
        variables=("NODE_ENV",),
    )
    #: The one database there is. The original's ``dynamodb`` is refused by name instead of being ignored.
    database_primary: str = setting(
        "postgresql", choice("postgresql"), "postgresql, the one database there is", variables=("DATABASE_PRIMARY",)
    )
    #: The region of S3 and SNS.
    aws_region: str = setting("us-east-1", text, "printable text", variables=("AWS_REGION",))
    #: Whether the minute sampler runs once monitoring is started; only ``false`` turns it off.
    metrics_enabled: bool = setting(True, _unless_false, "true or false", variables=("DB_METRICS_ENABLED",))
    #: Whether alerts are sent; only ``false`` turns it off.
    alerts_enabled: bool = setting(True, _unless_false, "true or false", variables=("DB_ALERTS_ENABLED",))
    #: Seconds between two samples.
    metrics_interval: float = setting(
        60.0, number, "seconds from 1 to 3600", 1, 3600, variables=("DB_METRICS_INTERVAL",)
    )
    #: Milliseconds of the average query above which ``high_latency`` fires; the rule's own threshold when ``None``.
    latency_threshold: float | None = setting(
        None, number, "milliseconds from 1 to 86400000", 1, 86_400_000, variables=("DB_LATENCY_THRESHOLD",)
    )
    #: Share of failed statements above which ``high_error_rate`` fires; the rule's own threshold when ``None``.
    error_threshold: float | None = setting(
        None, number, "a number from 0 to 1", 0, 1, variables=("DB_ERROR_THRESHOLD",)
    )
    #: Share of the pool in use above which ``connection_limit`` fires; the rule's own threshold when ``None``.
    connection_threshold: float | None = setting(
        None, number, "a number from 0 to 1", 0, 1, variables=("DB_CONN_THRESHOLD",)
    )
    #: Where alerts go by e-mail; needs ``alert_smtp_url``.
    alert_email: str | None = setting(None, text, "an e-mail address", variables=("ALERT_EMAIL",))
    #: The server that sends them: ``mailto://user:password@host`` or ``mailtos://``.
    alert_smtp_url: Secret | None = setting(
        None, secret, "a mailto:// or mailtos:// URL", variables=("ALERT_SMTP_URL",)
    )
    #: A Slack webhook.
    alert_slack_webhook: Secret | None = setting(None, secret, "an https:// URL", variables=("ALERT_SLACK_WEBHOOK",))
    #: The ARN of an SNS topic; needs ``boto3``.
    alert_sns_topic: str | None = setting(None, text, "the ARN of a topic", variables=("ALERT_SNS_TOPIC",))
    #: Other places, as apprise's URLs, separated by commas.
    alert_urls: Secret | None = setting(None, secret, "apprise URLs, separated by commas", variables=("ALERT_URLS",))
    #: Where archives are: a folder, or ``s3://bucket/prefix``.
    archive_url: str | None = setting(None, text, "a folder or an s3:// URL")
    #: The credentials of S3; without them those of the machine count.
    archive_access_key_id: Secret | None = setting(None, secret, "an access key's id", variables=("AWS_ACCESS_KEY_ID",))
    archive_secret_access_key: Secret | None = setting(
        None, secret, "a secret access key", variables=("AWS_SECRET_ACCESS_KEY",)
    )
    #: Another server that speaks S3.
    archive_endpoint: str | None = setting(None, text, "an http:// or https:// URL", variables=("AWS_ENDPOINT_URL",))
    #: Whether `initialize_database` imports a SQLite file; only ``true`` turns it on.
    migrate_from_sqlite: bool = setting(False, _only_true, "true or false", variables=("MIGRATE_FROM_SQLITE",))
    #: That file.
    sqlite_path: str = setting(
        "backend/external_history.sqlite", text, "the path of a file", variables=("SQLITE_PATH",)
    )
    #: Where cached values are: in Redis, in PostgreSQL, or in both, so that they survive a restart of Redis.
    cache_layers: Literal["redis", "postgresql", "both"] = setting(
        "both", choice("redis", "postgresql", "both"), "redis, postgresql or both"
    )


class DaylightKeywords(SettingsKeywords, total=False):
    """The settings beside the two URLs, as keywords of `surf_data.daylight.open`; see `DaylightSettings`."""

    node_env: Literal["development", "test", "production"] | None
    database_primary: str | None
    aws_region: str | None
    metrics_enabled: bool | None
    alerts_enabled: bool | None
    metrics_interval: float | None
    latency_threshold: float | None
    error_threshold: float | None
    connection_threshold: float | None
    alert_email: str | None
    alert_smtp_url: str | Secret | None
    alert_slack_webhook: str | Secret | None
    alert_sns_topic: str | None
    alert_urls: str | Secret | None
    archive_url: str | None
    archive_access_key_id: str | Secret | None
    archive_secret_access_key: str | Secret | None
    archive_endpoint: str | None
    migrate_from_sqlite: bool | None
    sqlite_path: str | None
    cache_layers: Literal["redis", "postgresql", "both"] | None
