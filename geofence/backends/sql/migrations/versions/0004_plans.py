"""Campaign plans lose the fields that nothing ever heeded.

`offer.coupon.budget` and `attribution_days` were accepted and never read; now they are refused.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"

_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Take the fields out of every stored plan and of its versions."""
    connection = op.get_bind()
    for name, key in (("campaigns", ()), ("campaign_versions", ("version",))):
        columns: list[sa.ColumnClause[object]] = [
            sa.column(one) for one in ("project_id", "id", *key)
        ]
        table = sa.table(name, *columns, sa.column("plan", _JSON))
        for row in connection.execute(sa.select(table)).mappings().all():
            plan = dict(row["plan"])
            plan.pop("attribution_days", None)
            if isinstance(coupon := plan["offer"].get("coupon"), dict):
                coupon.pop("budget", None)
            same = [column == row[column.name] for column in columns]
            connection.execute(sa.update(table).where(*same).values(plan=plan))
