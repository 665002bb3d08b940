"""Label selectors and field selectors as the API server reads them; what it refuses is refused here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from tests.fakes.kube.errors import ApiError

Object = dict[str, Any]
_SET = re.compile(r"(\S+)\s+(in|notin)\s*\(([^)]*)\)")
_EQUAL = re.compile(r"([^!=\s]+)\s*(!=|==|=)\s*([^=\s]*)")
_EXISTS = re.compile(r"(!?)\s*([^\s!=()]+)")
_FIELD = re.compile(r"([\w.]+)(!=|==?)(.*)")
_FIELDS = {
    "metadata.name",
    "metadata.namespace",
    "status.phase",
    "spec.nodeName",
    "spec.unschedulable",
    "type",
    "reason",
}


def labels_match(selector: str, labels: Mapping[str, str]) -> bool:
    """k=v, k==v, k!=v, k, !k, k in (..), k notin (..), joined with commas."""
    return not selector or all(_holds(part.strip(), labels) for part in _parts(selector))


def _parts(selector: str) -> list[str]:
    return re.split(r",(?![^(]*\))", selector)


def _holds(part: str, labels: Mapping[str, str]) -> bool:
    if match := _SET.fullmatch(part):
        inside = labels.get(match[1]) in {value.strip() for value in match[3].split(",")}
        return inside == (match[2] == "in")
    if match := _EQUAL.fullmatch(part):
        return (labels.get(match[1]) == match[3]) == (match[2] != "!=")
    if match := _EXISTS.fullmatch(part):
        return (match[2] in labels) == (not match[1])
    raise ApiError(400, "BadRequest", f"unable to parse requirement: {part!r}")


def selected_by(selector: Object, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector object (matchLabels, matchExpressions) matches."""
    wanted: dict[str, str] = selector.get("matchLabels") or {}
    expressions: list[Object] = selector.get("matchExpressions") or []
    return wanted.items() <= labels.items() and all(_expression(item, labels) for item in expressions)


def _expression(item: Object, labels: Mapping[str, str]) -> bool:
    has = item["key"] in labels
    inside = labels.get(item["key"]) in (item.get("values") or [])
    return {"In": inside, "NotIn": not inside, "Exists": has, "DoesNotExist": not has}[item["operator"]]


def fields_match(selector: str, found: Object) -> bool:
    """Whether the fields of an object match ``a.b=c,d!=e``; only a few fields can be asked for."""
    for term in filter(None, selector.split(",")):
        match = _FIELD.fullmatch(term)
        if match is None or match[1] not in _FIELDS:
            raise ApiError(400, "BadRequest", f"field label not supported: {term}")
        value: Any = found
        for step in match[1].split("."):
            value = cast("Object", value).get(step) if isinstance(value, dict) else None
        if (("" if value is None else str(value)) == match[3]) != (match[2] != "!="):
            return False
    return True
