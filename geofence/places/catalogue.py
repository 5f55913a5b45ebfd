"""A project's geofences as the pipeline reads them: the index, and each slot's geofence and rules.

A catalogue never changes once made; an edit makes the next one, and a reference is swapped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from geofence.model.campaign import Campaign
from geofence.model.place import Geofence, Profile
from geofence.model.rules import Rules
from geofence.places.persistent import PersistentMap, PersistentVector
from regions.geojson import read_region
from regions.index.index import Index

CONFIRM_S = 60
COOL_DOWN_S = 120
PRESENCE_TIMEOUT_S = 3600
LEAST_EXIT_MARGIN_M = 20.0
LEAST_MAX_ACCURACY_M = 200.0
_SPARE_SLOTS = 1_024


class RuleBook:
    """The rules of each slot, worked out when they are first asked for.

    An area's inradius takes a while to find.
    """

    __slots__ = ("_asked", "_default", "_fences", "_index", "_known")

    def __init__(
        self,
        fences: PersistentVector[Geofence],
        index: Index,
        default: Profile,
        asked: Sequence[Campaign],
    ) -> None:
        self._fences, self._index, self._default, self._asked = fences, index, default, asked
        # shared by versions: a slot's rules hold while its fence is the same
        self._known: dict[int, tuple[Geofence, Rules]] = {}

    def __getitem__(self, slot: int) -> Rules | None:
        fence, known = self._fences[slot], self._known.get(slot)
        if fence is None:
            return None
        if known is None or known[0] is not fence:
            known = self._known[slot] = (
                fence,
                _rules(fence, self._default, self._index, slot, self._asked),
            )
        return known[1]

    def following(self, fences: PersistentVector[Geofence], index: Index) -> RuleBook:
        """The rules of the next version, in which slots mean the same."""
        book = RuleBook(fences, index, self._default, self._asked)
        book._known = self._known
        return book


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`fences[slot]` and `rules[slot]` belong to the index's slot; None where it is empty."""

    version: int
    default: Profile
    index: Index
    fences: PersistentVector[Geofence]
    rules: RuleBook
    slot_of: PersistentMap
    campaigns: tuple[Campaign, ...] = ()

    @staticmethod
    def build(
        version: int,
        default: Profile,
        fences: Iterable[Geofence],
        campaigns: Iterable[Campaign] = (),
    ) -> Catalogue:
        """The catalogue of these geofences.

        Disabled ones are left out, and so are drafts of campaigns.
        """
        enabled = [fence for fence in fences if fence.enabled]
        index = Index.build([read_region(fence.region).region for fence in enabled])
        return _assembled(version, default, index, enabled, _asked(campaigns))

    def patched(
        self, version: int, changed: Sequence[Geofence], removed: Sequence[str]
    ) -> Catalogue:
        """The next catalogue: `changed` replaced or added, `removed` uids taken out.

        A geofence whose region stays keeps its slot.
        """
        touched = (*removed, *(fence.uid for fence in changed))
        kept = {
            slot: fence
            for fence in changed
            if fence.enabled and (slot := self._slot_if_same(fence)) is not None
        }
        staying = {fence.uid for fence in kept.values()}
        gone = {uid for uid in touched if uid in self.slot_of and uid not in staying}
        added = [fence for fence in changed if fence.enabled and fence.uid not in staying]
        if not gone and not kept and not added:
            return replace(self, version=version)
        return self._with(version, gone, kept, added).compacted()

    def _with(
        self, version: int, gone: set[str], kept: dict[int, Geofence], added: Sequence[Geofence]
    ) -> Catalogue:
        """The next catalogue without `gone`, with `kept` in their slots and `added` in new ones."""
        left, index, slots = [self.slot_of[uid] for uid in gone], self.index, list[int]()
        if gone or added:
            regions = [read_region(fence.region).region for fence in added]
            index, slots = index.patched(left, regions)
        new = dict(zip(slots, added, strict=True))
        length = max([len(self.fences), *(slot + 1 for slot in slots)])
        fences = self.fences.changed({**dict.fromkeys(left), **kept, **new}, length)
        slot_of = self.slot_of.changed(gone, {fence.uid: slot for slot, fence in new.items()})
        return replace(
            self,
            version=version,
            index=index,
            fences=fences,
            rules=self.rules.following(fences, index),
            slot_of=slot_of,
        )

    def following(
        self,
        version: int,
        default: Profile,
        fences: Iterable[Geofence],
        campaigns: Iterable[Campaign],
    ) -> Catalogue:
        """The catalogue of these geofences, as `build` makes it.

        It takes over the covers of the geofences that this catalogue knows.
        """
        enabled = {fence.uid: fence for fence in fences if fence.enabled}
        changed = [fence for fence in enabled.values() if self._slot_if_same(fence) is None]
        removed = [uid for uid in self.slot_of if uid not in enabled]
        if len(changed) + len(removed) > len(enabled) // 2:
            return Catalogue.build(version, default, enabled.values(), campaigns)
        index = self.patched(version, changed, removed)
        known = [None if fence is None else enabled[fence.uid] for fence in index.fences]
        return _assembled(version, default, index.index, known, _asked(campaigns))

    @staticmethod
    def restored(
        version: int,
        default: Profile,
        index: Index,
        slots: Mapping[str, int],
        fences: Iterable[Geofence],
        campaigns: Iterable[Campaign],
    ) -> Catalogue:
        """The catalogue of these geofences from an index of earlier.

        `slots` by uid are those whose regions are in it unchanged.
        """
        enabled = [fence for fence in fences if fence.enabled]
        fresh = [fence for fence in enabled if fence.uid not in slots]
        staying = {slots[fence.uid]: fence for fence in enabled if fence.uid in slots}
        gone = [slot for slot in range(index.slots) if slot not in staying]
        index, given = index.patched(gone, [read_region(fence.region).region for fence in fresh])
        rows = staying | dict(zip(given, fresh, strict=True))
        return _assembled(
            version,
            default,
            index,
            [rows.get(slot) for slot in range(index.slots)],
            _asked(campaigns),
        ).compacted()

    def with_campaigns(self, version: int, campaigns: Iterable[Campaign]) -> Catalogue:
        """The next catalogue: the same geofences, and what other campaigns ask of them."""
        asked = _asked(campaigns)
        rules = RuleBook(self.fences, self.index, self.default, asked)
        return Catalogue(version, self.default, self.index, self.fences, rules, self.slot_of, asked)

    def with_campaign_change(self, before: Campaign | None, after: Campaign | None) -> Catalogue:
        """The catalogue as it will be once a campaign is replaced; it keeps this one's version."""
        others = [
            campaign for campaign in self.campaigns if before is None or campaign.id != before.id
        ]
        return self.with_campaigns(self.version, others if after is None else [*others, after])

    def dwell_changed_for(self, other: Catalogue) -> list[str]:
        """Uids of geofences for which running campaigns ask other dwell times than in `other`."""
        here, there = (frozenset(_asked_for(one.campaigns)) for one in (self, other))
        rings = {ring for _, ring in here ^ there}
        if not rings:
            return []
        return [
            fence.uid
            for fence in self.fences
            if fence is not None and fence.store_id is not None and rings & {None, fence.ring}
        ]

    def _slot_if_same(self, fence: Geofence) -> int | None:
        """The slot of a geofence whose region is what it was."""
        slot = self.slot_of.get(fence.uid)
        old = None if slot is None else self.fences[slot]
        return slot if old is not None and old.region == fence.region else None

    def compacted(self) -> Catalogue:
        """Itself, or with new slots once more than half of them are empty."""
        if self.index.slots <= 2 * len(self.index) + _SPARE_SLOTS:
            return self
        index, old = self.index.compacted()
        return _assembled(
            self.version,
            self.default,
            index,
            [self.fences[slot] for slot in old.tolist()],
            self.campaigns,
        )


def _assembled(
    version: int,
    default: Profile,
    index: Index,
    fences: Sequence[Geofence | None],
    asked: tuple[Campaign, ...],
) -> Catalogue:
    shelf: PersistentVector[Geofence] = PersistentVector(fences)
    slot_of = PersistentMap(
        {fence.uid: slot for slot, fence in enumerate(fences) if fence is not None}
    )
    return Catalogue(
        version, default, index, shelf, RuleBook(shelf, index, default, asked), slot_of, asked
    )


def _asked(campaigns: Iterable[Campaign]) -> tuple[Campaign, ...]:
    return tuple(campaign for campaign in campaigns if campaign.status != "draft")


def _rules(
    fence: Geofence, default: Profile, index: Index, slot: int, campaigns: Sequence[Campaign]
) -> Rules:
    profile = fence.profile or default
    radius_m = index.radius_m(slot)
    timeout_s = (
        PRESENCE_TIMEOUT_S if profile.presence_timeout_s is None else profile.presence_timeout_s
    )
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
    return [
        dwell_s
        for dwell_s, ring in _asked_for(campaigns)
        if fence.store_id is not None and ring in (None, fence.ring)
    ]


def _asked_for(campaigns: Sequence[Campaign]) -> list[tuple[int, str | None]]:
    """Dwell times that running campaigns ask for, and the ring they ask them for (None: any)."""
    triggers = [campaign.plan.trigger for campaign in campaigns if campaign.status == "active"]
    return [(trigger.dwell_s, trigger.ring) for trigger in triggers if trigger.dwell_s is not None]


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
