"""Customers: addresses, consent, export and erasure."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dependencies import (
    Manager,
    OpenServices,
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
from api.http.filters import Page
from api.http.merge_patch import PatchBody, patched, patched_body
from api.schemas import personal_data
from api.schemas.coupons import CouponOut, CouponPage
from api.schemas.customers import (
    CustomerExport,
    CustomerFilters,
    CustomerIn,
    CustomerOut,
    CustomerPage,
    ErasureReceipt,
    NewCustomerId,
)
from geofence import ids
from geofence.errors import NotFound
from geofence.model.customer import Customer
from geofence.people import erasure
from geofence.people.edits import EraseCustomer, PutCustomer
from geofence.ports.listing import CouponFilter, CustomerFilter

router = APIRouter(prefix="/v1/customers", tags=["customers"])
CustomerId = Annotated[Name, Path(description="The retailer's id, as devices and pings name it.")]
NewId = Annotated[
    NewCustomerId, Path(description="The retailer's id, as devices and pings name it.")
]
CouponReader = Annotated[Caller, Depends(allow("read", "manage", "redeem"))]


@router.get("/{customer_id:path}/export", **describe(CustomerExport, 200, refuses=[404, 422]))
async def export_customer(
    customer_id: CustomerId, services: OpenServices, caller: Manager
) -> Response:
    """Export everything that is stored about a customer, whole addresses included."""

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
    services: OpenServices,
    caller: CouponReader,
    page: Annotated[Page, Query()],
) -> Response:
    """The codes of a customer, by time of issue."""
    rows, more = await read_page(
        services.database.queries.coupons,
        caller.project_id,
        CouponFilter(customer=customer_id),
        page,
    )
    return reply(CouponPage(tuple(map(CouponOut.of, rows)), more))


@router.put(
    "/{customer_id:path}", **describe(CustomerOut, 200, 201, refuses=[404], body=CustomerIn)
)
async def put_customer(
    customer_id: NewId,
    services: OpenServices,
    caller: Manager,
    body: Annotated[CustomerIn, Depends(body_of(CustomerIn))],
) -> Response:
    """Insert or replace a customer.

    A purpose not mentioned is not granted; an old grant does not undo a newer refusal.
    """
    kept, created = await edit(services, caller.project_id, _put(customer_id, body))
    return reply(CustomerOut.of(kept), 201 if created else 200)


@router.patch("/{customer_id:path}", **describe(CustomerOut, 200, refuses=[404], patch=CustomerIn))
async def patch_customer(
    customer_id: CustomerId, services: OpenServices, caller: Manager, patch: PatchBody
) -> Response:
    """Change some fields of a customer, by JSON Merge Patch.

    A consent in the patch replaces the stored one as a whole; its `at` is now when absent.
    """

    def prepare(old: Customer) -> PutCustomer:
        body = patched_body(CustomerIn, CustomerIn.written(old, patch), patch)
        return _put(customer_id, body, old)

    async def read() -> Customer:
        listing = services.database.queries.customers
        return await read_one(listing, caller.project_id, CustomerFilter(id=customer_id))

    kept, _ = await patched(services, caller.project_id, read, prepare)
    return reply(CustomerOut.of(kept))


@router.get("/{customer_id:path}", **describe(CustomerOut, 200, refuses=[404, 422]))
async def get_customer(customer_id: CustomerId, services: OpenServices, caller: Reader) -> Response:
    """One customer."""
    customers = services.database.queries.customers
    found = await read_one(customers, caller.project_id, CustomerFilter(id=customer_id))
    return reply(CustomerOut.of(found))


@router.delete("/{customer_id:path}", **describe(ErasureReceipt, 202, refuses=[404, 422]))
async def delete_customer(
    customer_id: CustomerId, services: OpenServices, caller: Manager
) -> Response:
    """Erase a customer.

    Events, visits, devices and codes are kept without the customer. The answer is the receipt.
    """
    found = await run_in_threadpool(
        personal_data.stored, services.database.queries, caller.project_id, customer_id
    )
    if not any(found.values()):
        raise NotFound

    await edit(services, caller.project_id, EraseCustomer(customer_id=customer_id))
    counted = {noun: len(rows) for noun, rows in found.items()}
    erased, kept = (
        {noun: counted[noun] for noun in nouns} for nouns in (erasure.REMOVED, erasure.ANONYMISED)
    )
    return reply(
        ErasureReceipt(
            "erased", ids.new("era"), moment_text(services.clock.now_ms()), erased, kept
        ),
        202,
    )


@router.get("", **describe(CustomerPage, 200, refuses=[400, 422]))
async def list_customers(
    services: OpenServices, caller: Reader, filters: Annotated[CustomerFilters, Query()]
) -> Response:
    """Customers by id."""
    wanted = filters.wanted(CustomerFilter)
    rows, more = await read_page(
        services.database.queries.customers, caller.project_id, wanted, filters
    )
    return reply(CustomerPage(tuple(map(CustomerOut.of, rows)), more))


def _put(customer_id: str, body: CustomerIn, expected: Customer | None = None) -> PutCustomer:
    return PutCustomer(
        customer=body.model(customer_id), said=body.consent.model(), expected=expected
    )
