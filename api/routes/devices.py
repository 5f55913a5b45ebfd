"""Devices: what an app tells of itself, and its erasure."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from msgspec.structs import replace
from starlette.responses import Response

from api.dependencies import AtHouse, Manager, Reader, Registrar, body_of, edit, read_one, reply
from api.http.fields import Name, moment_text
from api.openapi import describe
from api.schemas.places import DeviceIn
from api.schemas.places_out import DeviceOut, ErasedOut
from geofence import ids
from geofence.errors import NotFound
from geofence.model.edit import EditResult
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


@router.get("/{device_id:path}", **describe(DeviceOut, 200, refuses=[404, 422]))
async def get_device(device_id: DeviceId, services: AtHouse, caller: Reader) -> Response:
    """One device."""
    return reply(DeviceOut.of(await read_one(services, "devices", caller.project_id, device_id)))


@router.delete("/{device_id:path}", **describe(ErasedOut, 202, refuses=[404, 422]))
async def delete_device(device_id: DeviceId, services: AtHouse, caller: Manager) -> Response:
    """Erase a device with its presences, visits and events. The answer is the receipt."""

    def work(unit: Unit) -> EditResult:
        if unit.accounts.device(caller.project_id, device_id) is None:
            raise NotFound
        unit.accounts.delete_device(caller.project_id, device_id)
        return EditResult(None)

    await edit(services, caller.project_id, work)
    return reply(ErasedOut("erased", ids.new("era"), moment_text(services.clock.now_ms())), 202)
