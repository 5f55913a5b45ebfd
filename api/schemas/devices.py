"""Devices: what an app registers, and what is known of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field

from api.http.fields import Body, Document, Locale, Name, Zone, example
from api.schemas.shown import Moment, shown
from geofence.model.account import Device


class DeviceIn(Body):
    """A device as its app registers it."""

    model_config = example(
        platform="ios",
        push_token="fcm-token-of-this-install",  # noqa: S106 - an example
        customer_id="customer-42",
        locale="de-AT",
        time_zone="Europe/Vienna",
    )

    platform: Literal["ios", "android", "web", "other"] | None = None
    push_token: (
        Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[\x21-\x7e]+$")] | None
    ) = None
    customer_id: Annotated[
        Name | None, Field(description="The customer who carries the device.")
    ] = None
    locale: Annotated[Locale | None, Field(description="Language and region, such as de-AT.")] = (
        None
    )
    time_zone: Annotated[Zone | None, Field(description="IANA time zone of the device.")] = None
    attributes: Annotated[Document, Field(description="The app's own facts.")] = {}

    def model(self, device_id: str, now_ms: int) -> Device:
        """The device of the model."""
        return Device(device_id, **self.model_dump(), created_ms=now_ms)

    @classmethod
    def written(cls, device: Device) -> dict[str, Any]:
        """The body that makes this device, for a patch to change."""
        return {name: getattr(device, name) for name in cls.model_fields}


class DeviceOut(msgspec.Struct, frozen=True):
    """A device. The push token itself is not shown."""

    id: str
    platform: str | None
    has_push_token: bool
    customer_id: str | None
    locale: str | None
    time_zone: str | None
    attributes: dict[str, Any]
    created_at: Moment
    seen_at: Moment | None

    @classmethod
    def of(cls, device: Device) -> DeviceOut:
        """The device as clients see it."""
        has = device.push_token is not None
        return shown(cls, device, id=device.device_id, has_push_token=has)


class DeviceErasureReceipt(msgspec.Struct, frozen=True):
    """The receipt of a device's erasure."""

    result: Literal["erased"]
    receipt: str
    erased_at: Moment
