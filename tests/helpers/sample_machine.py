"""The facts of an imaginary Raspberry Pi, for tests of the doctor's rules."""

from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from pitasker_core.crontab.doctor.examination import examine, subjects
from pitasker_core.crontab.doctor.facts import ClockChange, FileFacts, MachineFacts
from pitasker_core.crontab.doctor.finding import Finding
from pitasker_core.crontab.doctor.needs import list_needs
from pitasker_core.crontab.document import Document, parse

ABSENT = "No such file or directory"
TAG = UUID("3f8c1d52-7a44-4e0b-9b1e-5d2c8f6a9e01")

_SCRIPT = b"#!/bin/sh"
_SPECIAL = {
    "/home/pi/plain.sh": {"executable": False, "first_line": _SCRIPT},
    "/home/pi/secret.py": {"readable": False, "first_line": b""},
    "/home/pi/old-python.py": {"first_line": b"#!/usr/bin/python2", "lacks": "/usr/bin/python2"},
    "/home/pi/bare.py": {"first_line": b"import os"},
    "/home/pi/sensor.py": {"first_line": b"#!/usr/bin/env python3"},
    "/home/pi/windows.sh": {"first_line": b"#!/bin/sh\r", "lacks": "/bin/sh\r"},
    "/home/pi/marked.sh": {"first_line": b"\xef\xbb\xbf#!/bin/sh"},
    "/home/pi/open.sh": {"first_line": _SCRIPT, "world_writable": True},
    "/home/pi/shared/open.sh": {"first_line": _SCRIPT, "in_world_writable_folder": True},
    "/tmp/job.sh": {"first_line": _SCRIPT, "in_temporary_folder": True},
    "/home/pi/locked.log": {"writable": False},
    "/home/pi/locked": {"is_folder": True, "writable": False},
}
_FOLDERS = {"/", "/home", "/home/pi", "/home/pi/log", "/home/pi/photos", "/home/pi/shared", "/tmp"}
_MISSING = ("/gone", "/nosuch", "/usr/bin/gone", "/home/pi/locked/new.log", "new.log")
_ELSEWHERE = {"pip-upgrade": "/usr/local/bin/pip-upgrade"}
_ABSENT_PROGRAMS = {"nosuch", "root", "pi", "1"}


def file(path: str) -> FileFacts:
    """Return the facts of a path: a good script, unless its name says otherwise."""
    if path in _SPECIAL:
        return FileFacts(path, **_SPECIAL[path])
    if path in _FOLDERS:
        return FileFacts(path, is_folder=True)
    if any(name in path for name in _MISSING):
        return FileFacts(path, ABSENT, executable=False)
    return FileFacts(path, first_line=_SCRIPT)


def machine(document: Document, **changes: object) -> MachineFacts:
    """Return the sample machine's facts that a crontab needs."""
    general = {
        "user": "pi",
        "home": "/home/pi",
        "users": frozenset({"pi", "anna"}),
        "homes": {"/home/anna": "anna"},
        "shells": {"/bin/sh": "/usr/bin/dash", "/bin/bash": "/usr/bin/bash"},
        "unmounted": {"/mnt/usb": False, "/mnt/nas": True},
        "separate": frozenset({"/srv/nas"}),
        "has_mail_program": True,
        "zone": ZoneInfo("Europe/London"),
        "now": datetime(2026, 1, 10, tzinfo=UTC),
        "clock_changes": (
            ClockChange(date(2026, 3, 29), 60, 120, is_forward=True),
            ClockChange(date(2026, 3, 30), 120, 180, is_forward=True),
            ClockChange(date(2026, 10, 25), 60, 120, is_forward=False),
        ),
        "typical_seconds": {TAG: 90.0},
    }
    facts = MachineFacts(**{**general, **changes})
    needs = list_needs(document, facts.user, facts.home)
    programs = {
        (name, search): None
        if name in _ABSENT_PROGRAMS or (name in _ELSEWHERE and "/usr/local/bin" not in search)
        else f"/usr/bin/{name}"
        for name, search in needs.programs
    }
    return MachineFacts(
        **{
            **general,
            "files": {path: file(path) for path in needs.paths},
            "programs": programs,
            "elsewhere": _ELSEWHERE,
            **changes,
        }
    )


def examined(text: str, **changes: object) -> tuple[Finding, ...]:
    """Return the doctor's findings in a crontab of the sample machine."""
    document = parse(text)
    return examine(document, machine(document, **changes)).findings


def rules_of(text: str, **changes: object) -> set[str]:
    """Return the codes of the rules that report a crontab of the sample machine."""
    return {finding.rule for finding in examined(text, **changes)}


__all__ = ["ABSENT", "TAG", "examined", "file", "machine", "rules_of", "subjects"]
