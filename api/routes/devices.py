"""Devices: registration by their app, and erasure."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from api.dependencies import (
    Manager,
    OpenServices,
    Reader,
    Registrar,
    body_of,
    edit,
    read_one,
    reply,
)
from api.http.describe import describe
from api.http.fields import Name, moment_text
from api.http.merge_patch import PatchBody, patched, patched_body
from api.schemas.devices import DeviceErasureReceipt, DeviceIn, DeviceOut
from geofence import ids
from geofence.model.account import Device
from geofence.people.edits import EraseDevice, PutDevice
from geofence.ports.listing import DeviceFilter

router = APIRouter(prefix="/v1/devices", tags=["devices"])
DeviceId = Annotated[Name, Path(description="The id under which the app posts its pings.")]


@router.put("/{device_id:path}", **describe(DeviceOut, 200, 201, refuses=[404], body=DeviceIn))
async def put_device(
    device_id: DeviceId,
    services: OpenServices,
    caller: Registrar,
    body: Annotated[DeviceIn, Depends(body_of(DeviceIn))],
) -> Response:
    """Register a device, or replace what is known of it. A publishable key may do this."""
    device = body.model(device_id, services.clock.now_ms())

    created, kept = await edit(services, caller.project_id, PutDevice(device=device))
    return reply(DeviceOut.of(kept), 201 if created else 200)


@router.patch("/{device_id:path}", **describe(DeviceOut, 200, 204, refuses=[404], patch=DeviceIn))
async def patch_device(
    device_id: DeviceId, services: OpenServices, caller: Registrar, patch: PatchBody
) -> Response:
    """Change some fields of a device, by JSON Merge Patch. A publishable key may do this.

    A key that may not read devices gets an empty answer (204).
    """

    def prepare(old: Device) -> PutDevice:
        body = patched_body(DeviceIn, DeviceIn.written(old), patch)
        return PutDevice(device=body.model(device_id, old.created_ms), expected=old)

    async def read() -> Device:
        listing = services.database.queries.devices
        return await read_one(listing, caller.project_id, DeviceFilter(id=device_id))

    _, kept = await patched(services, caller.project_id, read, prepare)
    if not {"read", "manage"} & set(caller.key.scopes):
        return Response(status_code=204)
    return reply(DeviceOut.of(kept))


@router.get("/{device_id:path}", **describe(DeviceOut, 200, refuses=[404, 422]))
async def get_device(device_id: DeviceId, services: OpenServices, caller: Reader) -> Response:
    """One device."""
    devices = services.database.queries.devices
    found = await read_one(devices, caller.project_id, DeviceFilter(id=device_id))
    return reply(DeviceOut.of(found))


@router.delete("/{device_id:path}", **describe(DeviceErasureReceipt, 202, refuses=[404, 422]))
async def delete_device(device_id: DeviceId, services: OpenServices, caller: Manager) -> Response:
    """Erase a device with its presences, visits and events. The answer is the receipt."""
    await edit(services, caller.project_id, EraseDevice(device_id=device_id))
    return reply(
        DeviceErasureReceipt("erased", ids.new("era"), moment_text(services.clock.now_ms())), 202
    )
