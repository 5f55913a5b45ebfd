"""Customers.

Who may be told, where, and what they agreed to; everything about one, and their erasure.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dependencies import (
    AtHouse,
    Cursor,
    Limit,
    Manager,
    Reader,
    body_of,
    edit,
    read_one,
    read_page,
    reply,
)
from api.http.auth import Caller, allow
from api.http.describe import describe
from api.http.fields import Name, moment_text
from api.schemas import personal_data
from api.schemas.coupons import CouponOut, CouponPage
from api.schemas.customers import (
    CustomerExport,
    CustomerIn,
    CustomerOut,
    CustomerPage,
    ErasureReceipt,
    NewCustomerId,
)
from geofence import ids
from geofence.errors import NotFound
from geofence.people.edits import EraseCustomer, PutCustomer
from geofence.ports.listing import CouponFilter, CustomerFilter

router = APIRouter(prefix="/v1/customers", tags=["customers"])
CustomerId = Annotated[Name, Path(description="The retailer's id, as devices and pings name it.")]
NewId = Annotated[
    NewCustomerId, Path(description="The retailer's id, as devices and pings name it.")
]
Counter = Annotated[Caller, Depends(allow("read", "manage", "redeem"))]


@router.get("/{customer_id:path}/export", **describe(CustomerExport, 200, refuses=[404, 422]))
async def export_customer(customer_id: CustomerId, services: AtHouse, caller: Manager) -> Response:
    """Everything that is stored about the person, whole addresses included."""

    def collect() -> CustomerExport:
        found = personal_data.stored(services.database.queries, caller.project_id, customer_id)
        if not any(found.values()):
            raise NotFound
        return personal_data.export(
            services.database.queries, caller.project_id, found, services.clock.now_ms()
        )

    return reply(await run_in_threadpool(collect))


@router.get("/{customer_id:path}/coupons", **describe(CouponPage, 200, refuses=[400, 404, 422]))
async def list_coupons(
    customer_id: CustomerId,
    services: AtHouse,
    caller: Counter,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The person's codes, by time of issue."""
    coupons, theirs = services.database.queries.coupons, CouponFilter(customer=customer_id)
    rows, more = await read_page(coupons, caller.project_id, theirs, cursor, limit)
    return reply(CouponPage(tuple(map(CouponOut.of, rows)), more))


@router.put(
    "/{customer_id:path}", **describe(CustomerOut, 200, 201, refuses=[404], body=CustomerIn)
)
async def put_customer(
    customer_id: NewId,
    services: AtHouse,
    caller: Manager,
    body: Annotated[CustomerIn, Depends(body_of(CustomerIn))],
) -> Response:
    """Insert or replace a person.

    A purpose not mentioned is not granted; an old grant does not undo a newer refusal.
    """

    change = PutCustomer(customer=body.model(customer_id), said=body.consent.model())
    kept, created = await edit(services, caller.project_id, change)
    return reply(CustomerOut.of(kept), 201 if created else 200)


@router.get("/{customer_id:path}", **describe(CustomerOut, 200, refuses=[404, 422]))
async def get_customer(customer_id: CustomerId, services: AtHouse, caller: Reader) -> Response:
    """One person."""
    customers = services.database.queries.customers
    found = await read_one(customers, caller.project_id, CustomerFilter(id=customer_id))
    return reply(CustomerOut.of(found))


@router.delete("/{customer_id:path}", **describe(ErasureReceipt, 202, refuses=[404, 422]))
async def delete_customer(customer_id: CustomerId, services: AtHouse, caller: Manager) -> Response:
    """Erase a person.

    What is theirs goes; events, visits, devices and codes stay without them. The answer is the
    receipt.
    """
    found = await run_in_threadpool(
        personal_data.stored, services.database.queries, caller.project_id, customer_id
    )
    if not any(found.values()):
        raise NotFound

    await edit(services, caller.project_id, EraseCustomer(customer_id=customer_id))
    counted = {noun: len(rows) for noun, rows in found.items()}
    erased, kept = (
        {noun: counted[noun] for noun in nouns}
        for nouns in (personal_data.ERASED, personal_data.UNNAMED)
    )
    return reply(
        ErasureReceipt(
            "erased", ids.new("era"), moment_text(services.clock.now_ms()), erased, kept
        ),
        202,
    )


@router.get("", **describe(CustomerPage, 200, refuses=[400, 422]))
async def list_customers(
    services: AtHouse,
    caller: Reader,
    tag: Annotated[Name | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Customers by id."""
    customers = services.database.queries.customers
    rows, more = await read_page(
        customers, caller.project_id, CustomerFilter(tag=tag), cursor, limit
    )
    return reply(CustomerPage(tuple(map(CustomerOut.of, rows)), more))
