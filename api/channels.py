"""The ways out that the settings open, and what they leave closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from api.settings import SettingError, Settings
from geofence.delivery.channels import Channel
from geofence.errors import InputError


def channels_of(settings: Settings) -> dict[str, Channel]:
    """The configured channels by name. Raises `SettingError` that names the setting."""
    channels: dict[str, Channel] = {}
    try:
        if settings.fcm_credentials:
            from geofence.delivery.channels.fcm.channel import Fcm

            channels["push"] = Fcm(settings.fcm_credentials, endpoint=settings.fcm_endpoint)
        if settings.smtp_url:
            from geofence.delivery.channels.email.channel import Email

            channels["email"] = Email(settings.smtp_url, sender=settings.email_from)
    except InputError as error:
        for channel in channels.values():
            channel.close()
        raise SettingError(f"{_SETTINGS.get(error.code, 'a channel')}: {error.detail}") from None
    return channels


def delivery_warnings(channels: Mapping[str, Channel], *, here: bool) -> tuple[str, ...]:
    """What an operator should know of delivery, for /readyz.

    Nothing of it keeps the service from taking pings.
    """
    if not here:
        return ("deliver: left to `geofence worker`",)
    closed = {"push": "GEOFENCE_FCM_CREDENTIALS", "email": "GEOFENCE_SMTP_URL"}
    return tuple(
        f"{name}: not configured ({setting}); messages wait until they expire"
        for name, setting in closed.items()
        if name not in channels
    )


def startup_lines(channels: Mapping[str, Channel], notes: Iterable[str]) -> tuple[str, ...]:
    """Every channel in a line of its own, as `serve` prints them at its start.

    Those that are open, then the notes.
    """
    return (*(f"{name}: configured" for name in channels), *notes)


_SETTINGS = {
    "fcm_credentials": "GEOFENCE_FCM_CREDENTIALS",
    "fcm_endpoint": "GEOFENCE_FCM_ENDPOINT",
    "smtp_url": "GEOFENCE_SMTP_URL",
    "email_sender": "GEOFENCE_EMAIL_FROM",
}
