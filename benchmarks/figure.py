"""A measured figure, as `./pitasker bench` prints it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A figure, and the floor that was measured in the same run. Times are medians."""

    part: str
    what: str
    value: float
    unit: str = "ms"
    floor: float | None = None
    floor_name: str = ""
    """What the floor is: work that cannot be avoided."""
