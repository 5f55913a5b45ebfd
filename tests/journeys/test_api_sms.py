"""SMS: from a campaign to a short message at a gateway."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.rigs.offers import STORE, YES, plan, step_inside
from tests.rigs.receiver import running_receiver
from tests.rigs.shop import open_shop, run, until

SMS = {"channel": "sms", "text": "{{ customer.first_name }}: {{ coupon.code }}", "when": "no_push"}


def test_a_campaign_becomes_an_sms_at_the_gateway(tmp_path: Path) -> None:
    with running_receiver() as gateway:
        running = run(f"sqlite:///{tmp_path}/record.db", sms_url=gateway.url())
        shop = open_shop(running)
        assert shop.client.put("/v1/stores/corner", json=STORE).status_code == 201
        body = plan(SMS) | {"status": "active"}
        made = shop.client.put("/v1/campaigns/lunch", json=body)
        assert made.status_code == 201, made.text
        for name, consent in (("kim", {"location": YES, "sms": YES}), ("lee", {"location": YES})):
            attributes = {"first_name": name.title(), "phone": "+436641234567"}
            person = {"attributes": attributes, "consent": consent}
            assert shop.client.put(f"/v1/customers/{name}", json=person).status_code == 201
            device = {"platform": "android", "customer_id": name}
            shop.with_key(shop.pk).put(f"/v1/devices/{name}-phone", json=device)
            step_inside(shop, name)
        until(lambda: gateway.got)
        [coupon] = shop.client.get("/v1/customers/kim/coupons").json()["data"]
        [message] = shop.client.get("/v1/messages?channel=sms").json()["data"]
        handed = msgspec.json.decode(gateway.got[0].body)
        assert handed == {
            "id": message["id"],
            "to": "+436641234567",
            "text": f"Kim: {coupon['code']}",
        }
        reasons = {one["reason"] for one in shop.client.get("/v1/decisions").json()["data"]}
        assert reasons == {"send", "consent_missing=sms"}
        path = f"/v1/messages/{message['id']}"
        until(lambda: shop.client.get(path).json()["message"]["status"] == "sent")
        page = shop.client.get(f"/p/{message['id']}")
        assert "offers by SMS" in page.text
        running.stop()


def test_a_preview_shows_the_sms(tmp_path: Path) -> None:
    running = run(f"sqlite:///{tmp_path}/record.db")
    shop = open_shop(running)
    assert shop.client.put("/v1/campaigns/lunch", json=plan(SMS)).status_code == 201
    [shown] = shop.client.post("/v1/campaigns/lunch/preview").json()["data"]
    assert (shown["channel"], shown["text"].partition(":")[0]) == ("sms", "Kim")
    running.stop()
