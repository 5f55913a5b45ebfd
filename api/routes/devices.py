"""Devices: registration by their app, and erasure."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from msgspec.structs import replace
from starlette.responses import Response

from api.dependencies import AtHouse, Manager, Reader, Registrar, body_of, edit, read_one, reply
from api.http.describe import describe
from api.http.fields import Name, moment_text
from api.http.merge_patch import PatchBody, Steps, patched, patched_body
from api.schemas.devices import DeviceErasureReceipt, DeviceIn, DeviceOut
from geofence import ids
from geofence.errors import NotFound
from geofence.model.account import Device
from geofence.model.edit import EditResult
from geofence.ports.listing import DeviceFilter
from geofence.ports.unit import Unit

router = APIRouter(prefix="/v1/devices", tags=["devices"])
DeviceId = Annotated[Name, Path(description="The id under which the app posts its pings.")]


@router.put("/{device_id:path}", **describe(DeviceOut, 200, 201, refuses=[404], body=DeviceIn))
async def put_device(
    device_id: DeviceId,
    services: AtHouse,
    caller: Registrar,
    body: Annotated[DeviceIn, Depends(body_of(DeviceIn))],
) -> Response:
    """Register a device, or replace what is known of it. A publishable key may do this."""
    device = body.model(device_id, services.clock.now_ms())

    def work(unit: Unit) -> EditResult:
        old = unit.accounts.device(caller.project_id, device_id)
        unit.accounts.put_device(caller.project_id, device)
        times = {"created_ms": old.created_ms, "seen_ms": old.seen_ms} if old else {}
        return EditResult((old is None, replace(device, **times)))

    created, kept = await edit(services, caller.project_id, work)
    return reply(DeviceOut.of(kept), 201 if created else 200)


@router.patch("/{device_id:path}", **describe(DeviceOut, 200, 204, refuses=[404], patch=DeviceIn))
async def patch_device(
    device_id: DeviceId, services: AtHouse, caller: Registrar, patch: PatchBody
) -> Response:
    """Change some fields of a device, by JSON Merge Patch. A publishable key may do this.

    A key that may not read devices gets an empty answer (204).
    """

    def prepare(old: Device) -> Device:
        body = patched_body(DeviceIn, DeviceIn.written(old), patch)
        return replace(body.model(device_id, old.created_ms), seen_ms=old.seen_ms)

    def current(unit: Unit) -> Device | None:
        unit.edit(caller.project_id)
        return unit.accounts.device(caller.project_id, device_id)

    def put(unit: Unit, device: Device) -> EditResult:
        unit.accounts.put_device(caller.project_id, device)
        return EditResult(device)

    async def read() -> Device:
        listing = services.database.queries.devices
        return await read_one(listing, caller.project_id, DeviceFilter(id=device_id))

    kept = await patched(services, caller.project_id, Steps(read, prepare, current, put))
    if not {"read", "manage"} & set(caller.key.scopes):
        return Response(status_code=204)
    return reply(DeviceOut.of(kept))


@router.get("/{device_id:path}", **describe(DeviceOut, 200, refuses=[404, 422]))
async def get_device(device_id: DeviceId, services: AtHouse, caller: Reader) -> Response:
    """One device."""
    devices = services.database.queries.devices
    found = await read_one(devices, caller.project_id, DeviceFilter(id=device_id))
    return reply(DeviceOut.of(found))


@router.delete("/{device_id:path}", **describe(DeviceErasureReceipt, 202, refuses=[404, 422]))
async def delete_device(device_id: DeviceId, services: AtHouse, caller: Manager) -> Response:
    """Erase a device with its presences, visits and events. The answer is the receipt."""

    def work(unit: Unit) -> EditResult:
        if unit.accounts.device(caller.project_id, device_id) is None:
            raise NotFound
        unit.accounts.delete_device(caller.project_id, device_id)
        return EditResult(None)

    await edit(services, caller.project_id, work)
    return reply(
        DeviceErasureReceipt("erased", ids.new("era"), moment_text(services.clock.now_ms())), 202
    )
