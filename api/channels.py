"""The channels that the settings open, and what an operator should know of the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from api.settings import SettingError, Settings, variable
from geofence.delivery.channel import Channel
from geofence.delivery.channels import CHANNELS
from geofence.errors import InputError


def channels_of(settings: Settings) -> dict[str, Channel]:
    """The configured channels by name.

    Raises:
        SettingError: A channel cannot be opened; the text names the setting.
    """
    values = {one.name: getattr(settings, one.name) for one in dataclasses.fields(settings)}
    channels: dict[str, Channel] = {}
    for name, kind in CHANNELS.items():
        try:
            channel = kind.from_settings(values) if kind.from_settings is not None else None
        except InputError as error:
            for opened in channels.values():
                opened.close()
            setting = kind.settings.get(error.code, next(iter(kind.settings)))
            raise SettingError(f"{variable(setting)}: {error.detail}") from None
        if channel is not None:
            channels[name] = channel
    return channels


def delivery_warnings(channels: Mapping[str, Channel], *, here: bool) -> tuple[str, ...]:
    """What an operator should know of delivery, for /readyz. The service takes pings all the same.

    `here`: whether this process delivers.
    """
    if not here:
        return ("deliver: left to `geofence worker`",)
    return tuple(
        f"{name}: not configured ({variable(next(iter(kind.settings)))}); "
        "messages wait until they expire"
        for name, kind in CHANNELS.items()
        if kind.from_settings is not None and name not in channels
    )


def startup_lines(channels: Mapping[str, Channel], notes: Iterable[str]) -> tuple[str, ...]:
    """One line per open channel, then the notes, as `serve` prints them at its start."""
    return (*(f"{name}: configured" for name in channels), *notes)
