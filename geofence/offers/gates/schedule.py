"""Is it a day and an hour of the campaign, in the store's time zone, and is the store open?

Opening hours count only where the campaign asks for them.
"""

from __future__ import annotations

from geofence.model.case import Case
from geofence.model.decision import GateResult, passed, stopped

NAME = "schedule"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def judge(case: Case) -> GateResult:
    """Stops with `day`, `hour`, `store_closed`, or `store_hours_unknown` (it has no hours)."""
    schedule = case.campaign.plan.schedule
    today, clock = DAYS[case.local.weekday()], case.local.strftime("%H:%M")
    if schedule.days and today not in schedule.days:
        return stopped("day", today, ",".join(schedule.days))
    if schedule.between is not None and not within(clock, *schedule.between):
        return stopped("hour", clock, "-".join(schedule.between))
    if schedule.only_when_open and case.store_open is None:
        return stopped("store_hours_unknown", clock)
    if schedule.only_when_open and not case.store_open:
        return stopped("store_closed", clock)
    return passed(f"{today} {clock}")


def within(clock: str, start: str, until: str) -> bool:
    """Whether local `HH:MM` lies in [start, until); over midnight when `until` is earlier."""
    return start <= clock < until if start <= until else clock >= start or clock < until
