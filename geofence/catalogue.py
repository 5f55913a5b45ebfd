"""A project's geofences as the street reads them: the index, and for each of its slots the geofence and its rules.

A catalogue never changes once made; an edit makes the next one and the street swaps a reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from geofence.model.campaign import Campaign
from geofence.model.place import Geofence, Profile
from geofence.track import Rules
from regions.geojson import read_region
from regions.index import Index

CONFIRM_S = 60
COOL_DOWN_S = 120
PRESENCE_TIMEOUT_S = 3600
LEAST_EXIT_MARGIN_M = 20.0
LEAST_MAX_ACCURACY_M = 200.0


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`fences[slot]` and `rules[slot]` belong to `index` slot; None where a geofence was removed."""

    version: int
    default: Profile
    index: Index
    fences: tuple[Geofence | None, ...]
    rules: tuple[Rules | None, ...]
    slot_of: dict[str, int]
    campaigns: tuple[Campaign, ...] = ()

    @staticmethod
    def build(version: int, default: Profile, fences: Iterable[Geofence], campaigns: Iterable[Campaign] = ()) -> Catalogue:
        """The catalogue of these geofences; disabled ones are left out, and so are drafts of campaigns."""
        asked = _asked(campaigns)
        enabled = [fence for fence in fences if fence.enabled]
        index = Index.build([read_region(fence.region).region for fence in enabled])
        rules = tuple(_rules(fence, default, index, slot, asked) for slot, fence in enumerate(enabled))
        slot_of = {fence.uid: slot for slot, fence in enumerate(enabled)}
        return Catalogue(version, default, index, tuple(enabled), rules, slot_of, asked)

    def patched(self, version: int, changed: Sequence[Geofence], removed: Sequence[str]) -> Catalogue:
        """The next catalogue: `changed` replaced or added, `removed` uids taken out."""
        if not changed and not removed:
            return replace(self, version=version)
        added = [fence for fence in changed if fence.enabled]
        gone = {*removed, *(fence.uid for fence in changed)} & self.slot_of.keys()
        gone_slots = [self.slot_of[uid] for uid in gone]
        index, slots = self.index.patched(gone_slots, [read_region(fence.region).region for fence in added])
        room = max([len(self.fences), *(slot + 1 for slot in slots)])
        fences = [*self.fences, *[None] * (room - len(self.fences))]
        rules = [*self.rules, *[None] * (room - len(self.rules))]
        for slot in gone_slots:
            fences[slot] = rules[slot] = None
        for fence, slot in zip(added, slots, strict=True):
            fences[slot], rules[slot] = fence, _rules(fence, self.default, index, slot, self.campaigns)
        slot_of = {uid: slot for uid, slot in self.slot_of.items() if uid not in gone}
        slot_of.update((fence.uid, slot) for fence, slot in zip(added, slots, strict=True))
        return Catalogue(version, self.default, index, tuple(fences), tuple(rules), slot_of, self.campaigns)

    def with_campaigns(self, version: int, campaigns: Iterable[Campaign]) -> Catalogue:
        """The next catalogue: the same geofences, and what other campaigns ask of them."""
        asked = _asked(campaigns)
        rules = tuple(
            None if fence is None else _rules(fence, self.default, self.index, slot, asked) for slot, fence in enumerate(self.fences)
        )
        return Catalogue(version, self.default, self.index, self.fences, rules, self.slot_of, asked)


def _asked(campaigns: Iterable[Campaign]) -> tuple[Campaign, ...]:
    return tuple(campaign for campaign in campaigns if campaign.status != "draft")


def _rules(fence: Geofence, default: Profile, index: Index, slot: int, campaigns: Sequence[Campaign]) -> Rules:
    profile = fence.profile or default
    radius_m = index.radius_m(slot)
    timeout_s = PRESENCE_TIMEOUT_S if profile.presence_timeout_s is None else profile.presence_timeout_s
    exact = profile.name == "exact"
    return Rules(
        profile=profile.name,
        inradius_m=index.inradius_m(slot),
        max_accuracy_m=_or(profile.max_accuracy_m, max(LEAST_MAX_ACCURACY_M, 2.0 * radius_m)),
        exit_margin_m=_or(profile.exit_margin_m, max(LEAST_EXIT_MARGIN_M, 0.1 * radius_m)),
        confirm_ms=int(_or(profile.confirm_s, CONFIRM_S) * 1000) if profile.name == "strict" else 0,
        cool_down_ms=0 if exact else int(_or(profile.cool_down_s, COOL_DOWN_S) * 1000),
        presence_timeout_ms=None if exact else timeout_s * 1000,
        dwell_s=tuple(sorted({*profile.dwell_s, *_dwells(fence, campaigns)})),
        active_until_ms=fence.active_until_ms,
    )


def _dwells(fence: Geofence, campaigns: Sequence[Campaign]) -> list[int]:
    """The dwell times that running campaigns ask for at a store's ring."""
    triggers = [campaign.plan.trigger for campaign in campaigns if campaign.status == "active"]
    return [
        trigger.dwell_s
        for trigger in triggers
        if trigger.dwell_s is not None and fence.store_id is not None and trigger.ring in (None, fence.ring)
    ]


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
