"""A campaign that works, for tests that store it or spoil it."""

from __future__ import annotations

LUNCH = {
    "id": "lunch",
    "name": "Lunch coffee",
    "status": "draft",
    "priority": 10,
    "trigger": {"event": "entered", "ring": "near", "stores": {"brand": "Bean"}, "dwell_s": None},
    "schedule": {
        "from": "2026-11-01",
        "until": "2026-12-31",
        "days": ["mon", "tue"],
        "between": ["11:00", "14:00"],
        "only_when_open": True,
    },
    "pressure": {
        "per_customer": {"count": 1, "window_s": 604800},
        "min_gap_s": 3600,
        "respect_quiet_hours": True,
    },
    "holdout": 0.1,
    "offer": {
        "title": "2 for 1",
        "coupon": {"valid_days": 3, "single_use": True, "stores": "trigger"},
    },
    "variants": [
        {
            "name": "a",
            "weight": 1,
            "messages": [
                {
                    "channel": "push",
                    "title": "Coffee, {{ customer.first_name | default: 'friend' }}?",
                    "body": "{{ store.name }} is {{ distance_m }} m away. Code {{ coupon.code }}",
                    "link": "app://offers/{{ coupon.code }}",
                    "ttl_s": 900,
                },
                {
                    "channel": "email",
                    "subject": "Coffee",
                    "html": "<b>{{ coupon.code }}</b>",
                    "text": "{{ coupon.code }}",
                    "when": "no_push",
                },
            ],
        }
    ],
}
