"""A till: looks a code up, redeems it once, and says why it cannot be redeemed.

    python examples/till.py http://127.0.0.1:8000 sk_till CODE STORE AMOUNT CURRENCY

AMOUNT is in the smallest unit: 380 EUR are 3.80 euros. The key needs the scope `redeem` alone.
The exit code is 0 when the code was redeemed.
"""

from __future__ import annotations

import sys
import uuid
from urllib.parse import quote

import httpx

# What the cashier reads. The codes are stable; the service's `detail` is for logs.
REFUSALS = {
    "coupon_unknown": "There is no such code. Please check the letters.",
    "coupon_redeemed": "This code was used already.",
    "coupon_expired": "This code has expired.",
    "coupon_void": "This code was withdrawn.",
    "coupon_other_store": "This code is for another store.",
    "too_many_unknown_codes": "Too many wrong codes. Please wait a minute.",
}


def redeem(client: httpx.Client, code: str, store: str, amount: int, currency: str) -> bool:
    """Redeem a code; prints one line, and returns whether it was redeemed."""
    path = f"/v1/coupons/{quote(code, safe='')}"
    found = client.get(path)
    if found.is_error:
        print(refusal(found))
        return False
    print(f"{found.json()['title']}, valid until {found.json()['expires_at']}")
    # One key for one press of the button: a repeat after a lost answer redeems nothing twice.
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"store": store, "till": "1", "amount": amount, "currency": currency}
    for _ in range(3):
        try:
            answer = client.post(f"{path}/redeem", json=body, headers=headers)
        except httpx.TransportError:
            continue
        if answer.is_error:
            print(refusal(answer))
            return False
        print("redeemed")
        return True
    print("No answer from the service. Please try again.")
    return False


def refusal(answer: httpx.Response) -> str:
    """A sentence for the cashier."""
    problem = answer.json()
    return REFUSALS.get(problem["code"], str(problem["detail"]))


def main() -> int:
    """Read the arguments and redeem."""
    url, key, code, store, amount, currency = sys.argv[1:]
    with httpx.Client(
        base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=10
    ) as client:
        return 0 if redeem(client, code, store, int(amount), currency) else 1


if __name__ == "__main__":
    if len(sys.argv) != 7:
        raise SystemExit(__doc__)
    raise SystemExit(main())
