"""Measure all figures of this machine: `./pitasker bench`.

    ./pitasker bench [--quick] [--only PART ...] [--json]
    ./pitasker bench --page FIGURES.json > docs/figures.md

Each part is measured in a process of its own, on a private crontab and a private PostgreSQL. A
figure has its floor: the time of work that cannot be avoided, measured in the same run. The ratio
of both compares machines and versions better than a time.
"""

import argparse
import importlib
import importlib.util
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from figure import Figure
from private_world import isolate

from pitasker_core import __version__

PARTS = ("commands", "sync", "recorder", "doctor", "schedules", "api", "runs", "dashboard")
NEEDS = {"dashboard": "playwright"}
"""Parts that need a package which only the tests install."""


def measure(part: str, quick: bool) -> list[Figure]:
    """Measure a part in a new process."""
    command = [sys.executable, __file__, "--part", part, *(["--quick"] if quick else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return [Figure(**figure) for figure in json.loads(done.stdout)]


def describe_machine() -> dict[str, str]:
    """Return what a reader must know of this machine."""
    facts = [line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines()]
    values = {name.strip(): value.strip() for name, _, value in facts}
    memory = Path("/proc/meminfo").read_text().split()[1]
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    model = values.get("Model") or values.get("model name") or platform.machine()
    return {
        "machine": f"{model}, {os.cpu_count()} cores, {int(memory) / 2**20:.1f} GiB of memory",
        "system": f"{system}, Linux {platform.release()}, Python {platform.python_version()}",
        "load": f"{os.getloadavg()[0]:.1f} at the start",
    }


def as_table(figures: Iterable[Figure]) -> str:
    """Return the figures as a table for a terminal."""
    lines = [f"{'part':10} {'what':58} {'value':>9}    {'floor':>8} {'ratio':>6}"]
    for f in figures:
        floor = f"{f.floor:8.1f} {f.value / f.floor:6.1f}  {f.floor_name}" if f.floor else ""
        lines.append(f"{f.part:10} {f.what:58} {f.value:9.1f} {f.unit:2} {floor}".rstrip())
    return "\n".join(lines)


def as_page(report: dict[str, Any]) -> str:
    """Return the text of docs/figures.md."""
    facts = ("date", "version", "machine", "system", "load")
    lines = [
        "# Figures",
        "",
        "<!-- Generated: `./pitasker bench --json > figures.json`,",
        "     then `./pitasker bench --page figures.json > docs/figures.md`. -->",
        "",
        "Times are medians. A floor is work that cannot be avoided, measured in the same run.",
        "Compare machines by the ratio of both. `./pitasker bench` measures your machine.",
        "",
        *(f"- {name}: {report[name]}" for name in facts),
        f"- command: `{report['command']}`",
    ]
    part = ""
    for value in report["figures"]:
        figure = Figure(**value)
        if figure.part != part:
            part = figure.part
            lines += ["", f"## {part.capitalize()}", ""]
            lines += ["| what | value | floor | ratio |", "|---|---:|---:|---:|"]
        floor, ratio = "", ""
        if figure.floor:
            floor = f"{figure.floor:.1f} ({figure.floor_name})"
            ratio = f"{figure.value / figure.floor:.1f}"
        lines.append(f"| {figure.what} | {figure.value:.1f} {figure.unit} | {floor} | {ratio} |")
    lines += [f"\nNot measured: {note}" for note in report["notes"]]
    return "\n".join(lines)


def report(parts: list[str], quick: bool) -> dict[str, Any]:
    """Measure the parts one after the other."""
    head = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "version": __version__,
        "command": " ".join(["./pitasker bench", *(["--quick"] if quick else [])]),
        **describe_machine(),
    }
    figures: list[Figure] = []
    notes = []
    for part in parts:
        package = NEEDS.get(part)
        if package and importlib.util.find_spec(package) is None:
            notes.append(f"{part} needs {package}, which `./pitasker test` installs.")
            continue
        print(f"Measuring {part} …", file=sys.stderr, flush=True)
        figures += measure(part, quick)
    return {**head, "notes": notes, "figures": [asdict(figure) for figure in figures]}


def main() -> None:
    """Measure and print, or print a page from measured figures."""
    parser = argparse.ArgumentParser(
        prog="pitasker bench", description="Measure all figures of this machine."
    )
    parser.add_argument("--quick", action="store_true", help="smaller and fewer measurements")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--json", action="store_true", help="answer in JSON, for programs")
    parser.add_argument("--page", type=Path, metavar="JSON", help="print the page of these figures")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.page:
        print(as_page(json.loads(options.page.read_text())))
        return
    isolate()
    if options.part:
        figures = importlib.import_module(options.part).figures(options.quick)
        answer = json.dumps([asdict(figure) for figure in figures])
        print(answer)
        return
    result = report(options.only, options.quick)
    if options.json:
        print(json.dumps(result, indent=1))
        return
    print(as_table(Figure(**figure) for figure in result["figures"]))
    for note in result["notes"]:
        print(f"Not measured: {note}")


if __name__ == "__main__":
    main()
