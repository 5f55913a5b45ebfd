"""Templates of marketers: Liquid (https://shopify.github.io/liquid/) within limits.

The fields are a fixed list. A template that names another one is refused when it is saved, and not
when a shopper comes to a store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import liquid
from liquid.exceptions import LiquidError

from geofence.errors import InputError

MAX_LENGTH = 20_000
FIELDS: dict[str, str] = {
    "customer.id": "their id",
    "customer.first_name": "their attribute `first_name`",
    "customer.last_name": "their attribute `last_name`",
    "customer.attributes": "any attribute, as `customer.attributes.tier`",
    "store.id": "the retailer's id of the store",
    "store.name": "its name",
    "store.brand": "its brand",
    "store.address": "its address",
    "distance_m": "metres to the store, rounded to ten",
    "ring": "the ring's name",
    "offer.title": "the offer's title",
    "coupon.code": "the code, where the offer has one",
    "coupon.expires": "its last day at the store, as 2026-11-25",
    "unsubscribe_url": "the page that says why, and ends these messages",
}
_TAGS = (
    "if",
    "unless",
    "case",
    "for",
    "assign",
    "capture",
    "comment",
    "raw",
    "echo",
    "break",
    "continue",
)


# without filters that multiply their input or fail on some values: these work on any text or number
_FILTERS = {
    "abs",
    "append",
    "at_least",
    "at_most",
    "capitalize",
    "ceil",
    "default",
    "downcase",
    "escape",
    "escape_once",
    "first",
    "floor",
    "join",
    "last",
    "lstrip",
    "minus",
    "newline_to_br",
    "plus",
    "prepend",
    "remove",
    "remove_first",
    "replace_first",
    "round",
    "rstrip",
    "size",
    "split",
    "strip",
    "strip_newlines",
    "truncate",
    "truncatewords",
    "upcase",
    "url_encode",
}
MAX_LOOPS, MAX_FILTERS = 3, 50
_ODD_VALUES = (
    ArithmeticError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
    MemoryError,
)
_MARKUP = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


class _Environment(liquid.Environment):
    loop_iteration_limit = 200
    output_stream_limit = 100_000
    local_namespace_limit = 100_000
    context_depth_limit = 10
    block_nesting_limit = 10


_plain = _Environment()
_html = _Environment(autoescape=True)


def render(source: str, fields: Mapping[str, Any], *, html: bool = False) -> str:
    """The template filled in. Values are escaped in HTML.

    Args:
        source: The template.
        fields: The values of `FIELDS`, nested.
        html: Whether the result is HTML.

    Raises:
        InputError: The template breaks a limit (code `template`).
    """
    try:
        return str(_parsed(source, html).render(**fields))
    except LiquidError as error:
        raise _refusal(_first_line(error)) from None
    except _ODD_VALUES as error:
        raise InputError(
            f"The template cannot be used with this value ({type(error).__name__}).",
            code="template",
        ) from None


def check(
    source: str, fields: Mapping[str, Any], *, html: bool = False, coupon: bool = True
) -> None:
    """Check a template, and try it with `fields`.

    Args:
        source: The template.
        fields: A sample of the values, as `render` takes them.
        html: Whether values are escaped.
        coupon: Whether the offer has a code; without one, a template that names it is refused.

    Raises:
        InputError: The template cannot be read, names an unknown field, or breaks a limit (code
            `template`).
    """
    if len(source) > MAX_LENGTH:
        raise _refusal(f"A template may be {MAX_LENGTH:,} characters long.")
    try:
        found = _parsed(source, html).analyze()
    except LiquidError as error:
        raise _refusal(_first_line(error)) from None
    _check_parts(found)
    if any(".." in _QUOTED.sub("", part) for part in _MARKUP.findall(source)):
        raise _refusal("Ranges like (1..9) cannot be used here.")
    _check_names(found, coupon=coupon)
    render(source, fields, html=html)


def _check_parts(found: Any) -> None:
    for tag in found.tags:
        if tag not in _TAGS:
            raise _refusal(f"The tag `{tag}` cannot be used here.")
    for name in found.filters:
        if name not in _FILTERS:
            raise _refusal(f"The filter `{name}` cannot be used here.")
    filters, loops = sum(map(len, found.filters.values())), len(found.tags.get("for", ()))
    if filters > MAX_FILTERS or loops > MAX_LOOPS:
        raise _refusal(f"A template may have {MAX_LOOPS} loops and {MAX_FILTERS} filters.")


def _check_names(found: Any, *, coupon: bool) -> None:
    for name in _named(found.globals):
        if not coupon and name.startswith("coupon."):
            raise _refusal(f"There is no `{name}`: the offer has no coupon.")
        if name not in FIELDS:
            there_are = ", ".join(sorted(FIELDS))
            raise _refusal(f"There is no field `{name}`; there are {there_are}.")


def _refusal(detail: str) -> InputError:
    return InputError(detail, code="template")


def _named(variables: Mapping[str, Any]) -> Iterator[str]:
    """Each variable as far as the list of fields knows it.

    Two words, or one where that is a field.
    """
    for places in variables.values():
        for variable in places:
            words = [str(segment) for segment in variable.segments]
            yield words[0] if words[0] in FIELDS or len(words) == 1 else ".".join(words[:2])


@lru_cache(maxsize=1024)
def _parsed(source: str, html: bool) -> Any:
    return (_html if html else _plain).from_string(source)


def _first_line(error: LiquidError) -> str:
    """The first line of the message: what is wrong, without the source around it."""
    return f"The template cannot be used: {str(error).partition(chr(10))[0].strip()}."
