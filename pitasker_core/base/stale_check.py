from collections.abc import Mapping
from typing import Any

from pitasker_core.base.errors import Stale


def changes(
    now: Mapping[str, Any], shown: Mapping[str, Any] | None, new: Mapping[str, Any]
) -> dict[str, Any]:
    """The values of `new` that differ from those shown. Without `shown`, from those of now.

    Raises Stale if somebody changed one of these values after it was shown.
    """
    before = now if shown is None else shown
    changed = {name: value for name, value in new.items() if value != before.get(name)}
    stale = [name for name in changed if now.get(name) not in (before.get(name), changed[name])]
    if stale:
        names = ", ".join(name.replace("_", " ") for name in stale)
        raise Stale(
            f"Somebody else changed this after it was shown: {names}.",
            "Nothing was changed. Check the new values, then make your change again.",
        )
    return changed
