"""Write the table of phrases in docs/schedules.md, from the phrases of the tests.

PYTHONPATH=. .venv/bin/python docs/schedules_table.py
"""

import csv
from pathlib import Path

from pitasker_core.crontab.phrases import Kind
from pitasker_core.crontab.schedule import describe, parse

PAGE = Path(__file__).parent / "schedules.md"
TABLE = Path(__file__).parents[1] / "tests" / "crontab" / "phrases.csv"
START, END = "<!-- phrases: made by schedules_table.py -->", "<!-- end of phrases -->"
TITLES = {
    Kind.EXACT: "Understood",
    Kind.CORRECTED: "Corrected mistakes",
    Kind.CHOICE: "Several meanings: PiTasker asks",
    Kind.SEVERAL: "Several entries together",
    Kind.NEAREST: "Impossible in cron: the nearest schedules, or several entries together",
    Kind.ONCE: "Runs once: use at(1), or the same date every year",
    Kind.UNKNOWN: "Not understood, or never",
}


def render() -> str:
    """Return the tables of all kinds."""
    rows = list(csv.DictReader(TABLE.read_text().splitlines()))
    parts = []
    for kind, title in TITLES.items():
        parts += [f"### {title}", "", "| words | schedule | meaning |", "|---|---|---|"]
        parts += [_row(row) for row in rows if row["kind"] == kind.value]
        parts.append("")
    return "\n".join(parts)


def _row(row: dict[str, str]) -> str:
    schedules = [text for text in row["schedules"].split(" | ") if text]
    shown = "<br>".join(f"`{text}`" for text in schedules)
    words = "<br>".join(describe(parse(text)) for text in schedules)
    place = f" (by the clock of {row['place'].title()})" if row["place"] else ""
    return f"| {row['phrase']} | {shown} | {words}{place} |"


def page() -> str:
    """Return the page with the present tables."""
    before, rest = PAGE.read_text().split(START)
    return f"{before}{START}\n\n{render()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page())
