"""Charts of what sync did."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from pitasker_core.history import Operation

COLORS = {"success": "#2e7d6b", "partial": "#e0a030", "failed": "#c0392b"}


def durations(operations: Sequence[Operation], zone: ZoneInfo) -> Any:
    """A Plotly figure: how long each operation took, by its start, coloured by outcome."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for outcome, color in COLORS.items():
        some = [operation for operation in operations if operation.outcome == outcome]
        if not some:
            continue
        figure.add_scatter(
            x=[operation.started_at.astimezone(zone) for operation in some],
            y=[operation.duration_ms for operation in some],
            mode="markers",
            name=outcome,
            marker={"color": color, "size": 9},
            customdata=[
                [o.kind, o.actor, f"{o.started_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"]
                for o in some
            ],
            hovertemplate="%{customdata[0]} by %{customdata[1]}<br>%{customdata[2]}<br>"
            "%{y:.1f} ms<extra></extra>",
        )
    figure.update_layout(
        height=220,
        margin={"l": 0, "r": 0, "t": 10, "b": 0},
        yaxis={"title": "milliseconds", "rangemode": "tozero"},
        legend={"orientation": "h", "y": 1.15},
    )
    return figure
