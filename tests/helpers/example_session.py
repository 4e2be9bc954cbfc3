"""Runs the commands of a document in a home of their own, and compares the answers."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import MutableMapping
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pitasker_core.cli import main

WIDTH = 100
"""The answers of the API are shown in lines of this width."""

_PRIVATE = (
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # a tag
    r"|\bpitasker_[\w-]{43}"  # a token
    r"|\b[0-9a-f]{32,64}\b"  # a checksum or an ETag
    r"|(?<=\?token=)[\w-]{32}"  # a sign-in link
)
_CLOCK = r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d| [A-Z]{2,5}\b)?"
_TIME = (
    rf"\d{{4}}-\d\d-\d\d(?:[T ]{_CLOCK})?"
    rf"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w* \d\d? \w+ \d{{4}}(?:,? {_CLOCK})?"
    r"|\b\d{8}T\d{6}\.\d+Z(?:-[0-9a-f]{12})?"  # the name of a kept text
)
_MEASURE = r'(?P<key>"\w*(?:econds|ilobytes|Ms|Duration|Kb|pid|bytes)": )(?:[\d.e-]+|null)'
_SECONDS = r"\b\d+\.\d+ s\b *|\b\d+ ms\b *"
_CHANGING = re.compile(
    rf"(?P<lines>^[ \t]*…\n)|(?P<rest>…)|(?P<private>{_PRIVATE})|(?P<time>{_TIME})"
    rf"|(?P<measure>{_MEASURE})|(?P<seconds>{_SECONDS})|(?P<spaces> {{2,}})",
    re.MULTILINE,
)


def _pattern(match: re.Match[str]) -> str:
    match match.lastgroup:
        case "lines":
            return r"(?:.*\n)*?"
        case "rest":
            return r".*?"
        case "private":
            return f"({_PRIVATE})"
        case "time":
            return f"(?:{_TIME})"
        case "seconds":
            return f"(?:{_SECONDS})"
        case "spaces":  # a column is as wide as its widest cell
            return " +"
        case _:
            return re.escape(match["key"]) + r"(?:[\d.e-]+|null)"


def compare(shown: str, answer: str) -> dict[str, str] | None:
    """Whether an answer is the one that is shown, apart from times, measures and ids.

    `…` stands for any text in a line; alone in a line, for any lines. Returns the shown ids with
    the real ones, or None when the answers differ.
    """
    parts, names, end = [], [], 0
    for match in _CHANGING.finditer(shown):
        parts += [re.escape(shown[end : match.start()]), _pattern(match)]
        if match["private"]:
            names.append(match["private"])
        end = match.end()
    whole = "".join([*parts, re.escape(shown[end:])])
    if not (same := re.fullmatch(whole, answer)):
        return None
    return dict(zip(names, same.groups(), strict=True))


@dataclass(frozen=True)
class Call:
    """A call of `./pitasker` with variables of its own, and a file for its output."""

    words: list[str]
    variables: dict[str, str]
    file: str | None


@dataclass
class ExampleSession:
    """A terminal in which the commands of a document run, one after the other.

    `./pitasker` runs in this process, and everything else in a shell. `replaced` has what the
    document calls otherwise: the shown text with the real one.
    """

    folder: Path
    variables: MutableMapping[str, str]
    replaced: dict[str, str]
    also_shown: dict[str, str] = field(default_factory=dict)
    """More names in answers: the real text with the shown one."""
    code: int = 0
    _known: dict[str, str] = field(default_factory=dict)

    def run(self, command: str) -> str:
        """The answer of a command, as a document shows it."""
        if command == "echo $?":
            return f"{self.code}\n"
        command = self._replace(command, {**self._known, **self.replaced})
        call = read_call(command)
        answer = self._run_here(call) if call else self._run_in_shell(command)
        return self.shown(answer)

    def learn(self, ids: dict[str, str]) -> None:
        """Use the real ids where later commands name the shown ones."""
        self._known |= ids

    def real(self, text: str) -> str:
        """The text with real names in the place of the shown ones."""
        return self._replace(text, self.replaced)

    def shown(self, answer: str) -> str:
        """The answer with the names of the document, and JSON on few lines."""
        for shown, real in self.replaced.items():
            answer = answer.replace(real, shown)
        answer = self._replace(answer, self.also_shown)
        answer = _indent_json(answer.replace("\r\n", "\n"))
        lines = [line.rstrip() for line in answer.splitlines()]
        return "".join(f"{line}\n" for line in lines)

    @staticmethod
    def _replace(text: str, names: dict[str, str]) -> str:
        for shown, real in names.items():
            text = text.replace(shown, real)
        return text

    def _run_here(self, call: Call) -> str:
        output, errors = _text_stream(), _text_stream()
        with (
            redirect_stdout(output),
            redirect_stderr(errors if call.file else output),
            patch.dict(os.environ, call.variables),
        ):
            try:
                self.code = main(call.words)
            except SystemExit as end:  # of argparse
                self.code = int(end.code or 0)
        printed = output.buffer.getvalue()  # type: ignore[attr-defined]
        if call.file:
            (self.folder / call.file).write_bytes(printed)
            printed = errors.buffer.getvalue()  # type: ignore[attr-defined]
        return printed.decode(errors="replace")

    def _run_in_shell(self, command: str) -> str:
        variables = self.folder / ".variables"
        script = f"set -a\n{command}\ncode=$?\nenv -0 >'{variables}'\nexit $code\n"
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=self.folder,
            env=dict(self.variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.code = done.returncode
        with suppress(FileNotFoundError):
            pairs = variables.read_text(errors="surrogateescape").split("\0")[:-1]
            set_now = dict(pair.split("=", 1) for pair in pairs)
            self.variables |= {k: v for k, v in set_now.items() if k not in ("PWD", "_", "code")}
        return done.stdout.decode(errors="replace")


def _text_stream() -> TextIOWrapper:
    return TextIOWrapper(BytesIO(), encoding="utf-8", write_through=True)


def read_call(command: str) -> Call | None:
    """The call of `./pitasker` that a command is; None when the command needs a shell."""
    lexer = shlex.shlex(command.replace("\\\n", " "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    variables = {}
    while words and (assignment := re.fullmatch(r"([A-Z_]+)=(.*)", words[0])):
        variables[assignment[1]] = assignment[2]
        del words[0]
    file = None
    if len(words) > 2 and words[-2] == ">":
        file, words = words[-1], words[:-2]
    needs_shell = "$" in command or any(word and set(word) <= set("();<>|&") for word in words)
    if words[:1] != ["./pitasker"] or needs_shell or words[1:2] == ["psql"]:
        return None
    return Call(words[1:], variables, file)


def _indent_json(answer: str) -> str:
    """JSON, also behind the headers of an answer, in lines that can be read."""
    head, blank, body = (
        answer.rpartition("\n\n") if answer.startswith("HTTP/") else ("", "", answer)
    )
    try:
        data = json.loads(body)
    except ValueError:
        return answer
    return f"{head}{blank}{render_json(data)}\n" if isinstance(data, dict | list) else answer


def render_json(data: Any, indent: str = "") -> str:
    """JSON that keeps a list or object on one line where it fits."""
    line = json.dumps(data, ensure_ascii=False)
    # A measured time has another number of digits at each run.
    width = len(indent) + len(re.sub(r"\d+\.\d{6,}", 18 * "9", line))
    if not isinstance(data, dict | list) or not data or width <= WIDTH - 20:
        return line
    deeper = f"{indent}  "
    if isinstance(data, dict):
        items = [f"{json.dumps(key)}: {render_json(value, deeper)}" for key, value in data.items()]
        opening, closing = "{}"
    else:
        items = [render_json(value, deeper) for value in data]
        opening, closing = "[]"
    inner = ",\n".join(f"{deeper}{item}" for item in items)
    return f"{opening}\n{inner}\n{indent}{closing}"


def prepare_folder(folder: Path, variables: MutableMapping[str, str]) -> None:
    """Put `./pitasker` there, and keep curl quiet."""
    program = folder / "pitasker"
    # Not the launcher itself: it would install packages.
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m pitasker_core "$@"\n')
    program.chmod(0o755)
    (folder / ".curlrc").write_text("silent\n")
    variables |= {"CURL_HOME": str(folder), "PATH": os.environ["PATH"]}
