"""What the annotations of an object alone undo, and what they cannot be made to do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.spi import DriverError
from gameday_drivers.kube.marks import ABSENT, KINDS, Change, Kind, changed, digest, made, take_back, undo_of
from gameday_drivers.kube.target import RUN, UNDO

DEPLOYMENTS = next(kind for kind in KINDS if kind.resource == "deployments")
SECRETS = next(kind for kind in KINDS if kind.resource == "secrets")
DATA = st.dictionaries(st.text("abc", min_size=1), st.integers(0, 3))
ANY = Kind(resource="things", places=("data",))


def an_object(undo: dict[str, str], **parts: Any) -> dict[str, Any]:
    return {"metadata": {"uid": "u", "resourceVersion": "7", "annotations": {RUN: "r", "other": "x", **undo}}, **parts}


def the_patch(of: dict[str, Any], kind: Kind, kept: dict[str, Any] | None = None) -> dict[str, Any]:
    patch = take_back(of, kind, kept or {})
    assert patch["metadata"] == {"uid": "u", "resourceVersion": "7", "annotations": {RUN: None, UNDO: None}}
    return {key: value for key, value in patch.items() if key != "metadata"}


def test_a_value_that_is_still_ours_goes_back_and_any_other_stays() -> None:
    undo = changed(Change(path=("spec", "replicas"), ours=0, before=3))
    assert the_patch(an_object(undo, spec={"replicas": 0}), DEPLOYMENTS) == {"spec": {"replicas": 3}}
    assert the_patch(an_object(undo, spec={"replicas": 5}), DEPLOYMENTS) == {}


def test_an_item_of_a_list_is_found_by_its_name() -> None:
    where = ("spec", "template", "spec", "containers", {"name": "b"}, "image")
    undo = changed(Change(path=where, ours="bad", before="good"))

    def template(*images: str) -> dict[str, Any]:
        made = [{"name": name, "image": image} for name, image in zip("ab", images, strict=False)]
        return {"template": {"spec": {"containers": made}}}

    assert the_patch(an_object(undo, spec=template("bad", "bad")), DEPLOYMENTS) == {"spec": template("bad", "good")}
    assert the_patch(an_object(undo, spec=template("bad")), DEPLOYMENTS) == {}


@settings(deadline=None)
@given(before=DATA, ours=DATA)
def test_whatever_was_set_changed_or_removed_is_as_it_was(before: dict[str, int], ours: dict[str, int]) -> None:
    changes = [
        Change(path=("data", key), ours=ours.get(key, ABSENT), before=before.get(key, ABSENT))
        for key in sorted({*before, *ours})
    ]
    patch = the_patch(an_object(changed(*changes), data=dict(ours)), ANY).get("data", {})
    assert {key: value for key, value in {**ours, **patch}.items() if value is not None} == before


def test_what_is_secret_is_kept_elsewhere_and_known_by_its_digest() -> None:
    undo = changed(Change(path=("data", "password"), ours="b3Vycw==", before=ABSENT, kept_in="gameday-backup-1"))
    assert "b3Vycw" not in undo[UNDO]
    found = an_object(undo, data={"password": "b3Vycw=="})
    assert the_patch(found, SECRETS, {"gameday-backup-1": {"password": "b2xk"}}) == {"data": {"password": "b2xk"}}
    assert the_patch(found, SECRETS, {"gameday-backup-1": {}}) == {"data": {"password": None}}
    with pytest.raises(DriverError, match=r"the Secret gameday-backup-1 .* is gone"):
        the_patch(found, SECRETS)
    assert digest(ABSENT) == ""


@pytest.mark.parametrize(
    "path", [("spec", "serviceAccountName"), ("metadata", "labels"), ("spec",), ("spec", "replicasx")]
)
def test_what_no_fault_of_ours_changes_is_refused(path: tuple[str, ...]) -> None:
    undo = changed(Change(path=path, ours=ABSENT, before="x"))
    with pytest.raises(DriverError, match="which no fault of ours changes in deployments"):
        the_patch(an_object(undo, spec={}), DEPLOYMENTS)


@pytest.mark.parametrize("text", ["", "not json", "[]", '{"changes": 1}'])
def test_an_undo_that_is_none_is_said(text: str) -> None:
    with pytest.raises(DriverError, match="do not say how it was"):
        undo_of(an_object({UNDO: text}))


def test_what_was_made_is_deleted_and_what_is_too_long_is_refused() -> None:
    assert json.loads(made()[UNDO]) == {"made": True}
    with pytest.raises(DriverError, match="would not fit"):
        changed(Change(path=("data", "k"), ours="x" * 100_001, before=ABSENT))
