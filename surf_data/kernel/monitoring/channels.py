"""Where alerts go: whatever apprise knows by a URL, and SNS."""

from contextlib import suppress
from importlib import import_module
from typing import Any, Literal, Protocol

import attrs

from surf_data.errors import ConfigurationError
from surf_data.kernel.secret import Secret

_TYPES = {"info": "info", "warning": "warning", "critical": "failure", "recovery": "success"}


@attrs.frozen(kw_only=True)
class Message:
    """What is sent."""

    title: str
    body: str
    severity: Literal["info", "warning", "critical", "recovery"]


class Channel(Protocol):
    """A way to notify people."""

    @property
    def name(self) -> str:
        """What the channel is called in logs; no address, no secret."""
        ...

    def send(self, message: Message) -> bool:
        """Send a message, in the thread that sends; return whether it arrived. May raise anything."""
        ...


class AppriseChannel:
    """A URL of apprise: ``mailtos://``, ``slack://``, ``json://``, ``pagerduty://`` and a hundred others.

    Arguments:
        name: what it is called in logs.
        url: the URL, which holds credentials.
    """

    def __init__(self, name: str, url: Secret) -> None:
        self._name = name
        self._url = url

    @property
    def name(self) -> str:
        """What the channel is called in logs."""
        return self._name

    def check(self) -> None:
        """Refuse a URL that apprise does not know.

        Raises:
            ConfigurationError: it does not, or the extra ``alerts`` is not installed.
        """
        self._apprise()

    def send(self, message: Message) -> bool:
        """Send a message; return whether it arrived."""
        sent: bool | None = self._apprise().notify(
            title=message.title, body=message.body, notify_type=_TYPES[message.severity]
        )
        return bool(sent)

    def _apprise(self) -> Any:
        with suppress(ImportError):
            # Half a second and a hundred plugins: imported by who sends alone.
            import apprise  # noqa: PLC0415

            found = apprise.Apprise()
            if not found.add(self._url.reveal()):
                raise ConfigurationError(f"the URL of {self._name} is none that apprise knows", setting=self._name)
            return found
        raise ConfigurationError('alerts need the extra alerts: pip install "surf-data[alerts]"')


class SnsChannel:
    """A topic of SNS, with the credentials of the machine or the environment: apprise would want keys in a URL.

    Arguments:
        topic: its ARN.
        endpoint: another server that speaks SNS.

    Raises:
        ConfigurationError: it is no ARN of a topic.
    """

    name = "sns"

    def __init__(self, topic: str, endpoint: str | None = None) -> None:
        parts = topic.split(":")
        if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sns":  # noqa: PLR2004 - arn:aws:sns:region:account:name
            raise ConfigurationError("alert_sns_topic must be the ARN of a topic", setting="alert_sns_topic")
        self._topic = topic
        self._region = parts[3]
        self._endpoint = endpoint

    def check(self) -> None:
        """Refuse to go on without boto3.

        Raises:
            ConfigurationError: the extra ``sns`` is not installed.
        """
        _boto3()

    def send(self, message: Message) -> bool:
        """Publish a message."""
        client = _boto3().client("sns", region_name=self._region, endpoint_url=self._endpoint)
        # SNS takes subjects of 100 characters without line breaks.
        subject = message.title.replace("\n", " ")[:100]
        client.publish(TopicArn=self._topic, Subject=subject, Message=message.body)
        return True


def _boto3() -> Any:
    # An extra, and 34 MB: imported only where it is asked for.
    with suppress(ImportError):
        return import_module("boto3")
    raise ConfigurationError('alerts by SNS need the extra sns: pip install "surf-data[sns]"')
