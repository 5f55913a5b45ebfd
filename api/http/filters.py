"""What the queries of lists share: pages, time ranges, order.

One model per noun extends `Page`; its fields are the parameters, and others are refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from api.http.fields import Moment, Name, moment_ms

Limit = Annotated[int, Field(ge=1, le=1000, description="Most items in the answer.")]
Cursor = Annotated[
    str | None,
    Field(max_length=1024, description="The `next_cursor` of the page before this one."),
]
F = TypeVar("F")
By = Annotated[Name | None, Field()]


class Query(BaseModel):
    """The parameters of an address; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Page(Query):
    """A page of a list."""

    limit: Limit = 50
    cursor: Cursor = None

    def wanted(self, kind: type[F], **more: Any) -> F:
        """The filters of the list; `more` are those that the query does not name."""
        return kind(**self._given(), **more)

    def _given(self) -> dict[str, Any]:
        return self.model_dump(exclude=set(Page.model_fields))


class TimedPage(Page):
    """A page of a list in the order of time."""

    since: Annotated[Moment | None, Field(description="At or after this time.")] = None
    until: Annotated[Moment | None, Field(description="Before this time.")] = None
    order: Annotated[
        Literal["asc", "desc"], Field(description="asc: oldest first. desc: newest first.")
    ] = "asc"

    def _given(self) -> dict[str, Any]:
        return self.model_dump(exclude=set(TimedPage.model_fields)) | {
            "since_ms": moment_ms(self.since) if self.since else None,
            "until_ms": moment_ms(self.until) if self.until else None,
            "descending": self.order == "desc",
        }
