"""Step 5: a decision becomes its messages, each with its own expiry."""

from __future__ import annotations

from typing import Any

from geofence import ids
from geofence.delivery.channels import CHANNELS
from geofence.delivery.reach import sendable
from geofence.model.campaign import MessagePlan, Variant
from geofence.model.case import Case
from geofence.model.decision import Coupon, Decision
from geofence.model.message import OutboxMessage
from geofence.offers.filling import fields_of


def compose(
    case: Case, decision: Decision, variant: Variant, coupon: Coupon | None, public_url: str
) -> list[OutboxMessage]:
    """The messages of a variant that this customer can be sent, filled in.

    Raises:
        InputError: A template breaks a limit (code `template`).
    """
    fields = fields_of(case, coupon, "")
    return [_message(case, decision, plan, fields, public_url) for plan in sendable(case, variant)]


def _message(
    case: Case, decision: Decision, plan: MessagePlan, fields: dict[str, Any], public_url: str
) -> OutboxMessage:
    kind = CHANNELS[plan.channel]
    found = kind.address(case)
    address, device_id = found if found is not None else ("", case.event.device_id)
    message_id = ids.of_facts("msg", decision.id, kind.name)
    return OutboxMessage(
        id=message_id,
        project_id=decision.project_id,
        decision_id=decision.id,
        campaign_id=decision.campaign_id,
        customer_id=decision.customer_id,
        device_id=device_id,
        geofence_uid=case.event.geofence_uid,
        channel=kind.name,
        address=address,
        content=kind.content(
            case, plan, fields | {"unsubscribe_url": f"{public_url}/p/{message_id}"}
        ),
        created_ms=decision.at_ms,
        expires_ms=decision.at_ms + plan.ttl_s * 1000,
        # what the answer to the ping delivers was sent before any worker could take it
        due_ms=None if kind.by_answer else decision.at_ms,
        status="sent" if kind.by_answer else "queued",
        attempt=1 if kind.by_answer else 0,
        finished_ms=decision.at_ms if kind.by_answer else None,
    )
