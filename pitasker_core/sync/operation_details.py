"""The details of an operation, as the history keeps them: small, and complete for an undo. Pure.

A change has a name, schedule, command, pause and recording on each of three sides, and most of them
are equal. The history keeps the base whole and of the other sides only what differs from it.
"""

from collections.abc import Mapping
from typing import Any

from pitasker_core.base.storable import is_storable
from pitasker_core.sync.merge import Change
from pitasker_core.sync.request import SyncResult

_KINDS = ("pushed", "pulled", "conflicts")
_SIDES = ("database", "crontab")
_DEFAULTS = {"paused": False, "recording": None}


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
    return {**details, **{kind: unpacked[kind] for kind in _KINDS if kind in details}}


def _pack(result: SyncResult, change: Change) -> dict[str, Any]:
    packed: dict[str, Any] = {"task": result.tasks.get(change.tag), "tag": str(change.tag)}
    base = change.base.as_dict() if change.base else None
    if base is None:
        packed["base"] = None
    else:
        packed["base"] = {
            name: value
            for name, value in base.items()
            if name not in _DEFAULTS or value != _DEFAULTS[name]
        }
    for side, fields in zip(_SIDES, (change.ours, change.theirs), strict=True):
        if fields == change.base:
            continue
        values = fields.as_dict() if fields else None
        if values and base:
            values = {name: value for name, value in values.items() if value != base[name]}
        packed[side] = values
    sides = (change.base, change.ours, change.theirs)
    if not all(is_storable(fields.text) for fields in sides if fields):
        # The history holds stand-ins for some characters, so an undo cannot restore such a side.
        packed["inexact"] = True
    return packed


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
