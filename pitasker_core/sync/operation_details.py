"""The details of an operation, as the history keeps them: small, and complete for an undo. Pure.

A change has a name, schedule, command, pause and recording on each of three sides, and most of them
are equal. The history keeps the base whole and of the other sides only what differs from it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pitasker_core.base.storable import is_storable
from pitasker_core.base.text import marked
from pitasker_core.crontab.recording import PLAIN, Recording
from pitasker_core.sync.merge import Change, Fields
from pitasker_core.sync.request import SyncResult

_KINDS = ("pushed", "pulled", "conflicts")
_SIDES = ("database", "crontab")
_DEFAULTS = {"paused": False, "recording": None}
_PLAIN_FIELDS = (None, None, None, False, PLAIN)
"""The usual values. A base is stored without the values that equal them."""


def pack_details(result: SyncResult) -> dict[str, Any]:
    """Return what a sync did: changes by task with the values of both sides, and failures."""
    details: dict[str, Any] = {
        "pushed": [_pack(result, change) for change in result.pushed],
        "pulled": [_pack(result, change) for change in result.pulled],
        "conflicts": [_pack(result, change) for change in result.plan.conflicts],
        "failed": {str(task): reason for task, reason in result.failures.items()},
    }
    if result.undone is not None:
        details["putBack"] = result.put_back
    if result.write is not None:
        details["write"] = result.write.as_dict()
    if result.notes:
        details["notes"] = {str(task): note for task, note in result.notes.items()}
    return details


def unpack_details(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return details with all values of all sides; also those of older versions, kept whole."""
    unpacked = {kind: [_unpack(change) for change in details.get(kind, [])] for kind in _KINDS}
    failed = {task: marked(reason) for task, reason in details.get("failed", {}).items()}
    changes = {kind: unpacked[kind] for kind in _KINDS if kind in details}
    return {**details, **changes, **({"failed": failed} if failed else {})}


def _pack(result: SyncResult, change: Change) -> dict[str, Any]:
    base = change.base
    packed: dict[str, Any] = {
        "task": result.tasks.get(change.tag),
        "tag": str(change.tag),
        "base": _differences(base, _PLAIN_FIELDS) if base else None,
    }
    texts = base.text if base else ""
    for side, fields in zip(_SIDES, (change.ours, change.theirs), strict=True):
        if fields == base:
            continue
        if fields is None:
            packed[side] = None
            continue
        packed[side] = _differences(fields, base) if base else fields.as_dict()
        texts += fields.text
    if not is_storable(texts):
        # The history holds stand-ins for some characters, so an undo cannot restore such a side.
        packed["inexact"] = True
    return packed


def _differences(fields: Fields, other: Sequence[Any]) -> dict[str, Any]:
    """Return the values, as JSON, in which fields differ from others."""
    return {
        name: value.as_dict() if isinstance(value, Recording) else value
        for name, value, before in zip(Fields._fields, fields, other, strict=True)
        if value != before
    }


def _unpack(change: Mapping[str, Any]) -> dict[str, Any]:
    base = change["base"]
    whole = None if base is None else {**_DEFAULTS, **base}
    sides = {
        side: _unpack_side(change[side], whole) if side in change else whole for side in _SIDES
    }
    return {"inexact": False, **change, "base": whole, **sides}


def _unpack_side(
    values: Mapping[str, Any] | None, base: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    return None if values is None else {**(base or {}), **values}
