"""What a person was shown when they decided. What changed since is not theirs to overwrite."""

from collections.abc import Mapping
from typing import Any

from pitasker_core.base.errors import Stale


def changes(
    now: Mapping[str, Any], shown: Mapping[str, Any] | None, wanted: Mapping[str, Any]
) -> dict[str, Any]:
    """The values of `wanted` that differ from those shown; None: the present ones were shown.

    Raises Stale when one of these was changed to something else since.
    """
    before = now if shown is None else shown
    changed = {name: value for name, value in wanted.items() if value != before.get(name)}
    stale = [name for name in changed if now.get(name) not in (before.get(name), changed[name])]
    if stale:
        names = ", ".join(name.replace("_", " ") for name in stale)
        raise Stale(
            f"Somebody else has changed this since it was shown: {names}.",
            "Nothing was changed. Look at the new values, then make your change again.",
        )
    return changed
