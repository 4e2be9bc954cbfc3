"""How a run ended, in words."""

_CODES = {
    124: "timed out, if it was run by `timeout`",
    126: "it could not be executed: is it executable, with a valid first line?",
    127: "command not found",
}
_SIGNALS = {
    1: "hung up",
    2: "interrupted",
    3: "quit",
    6: "aborted",
    9: "killed",
    11: "crashed",
    13: "nobody read its output",
    15: "terminated",
    24: "out of processor time",
    25: "its file became too large",
}


def in_words(state: str, exit_code: int | None, signal: int | None) -> str:
    """An end in words. Codes over 128 are those of the shell: 128 and the signal that ended the
    command (POSIX, "Exit Status for Commands")."""
    if signal is not None:
        return f"{_SIGNALS.get(signal, 'ended')} by signal {signal}"
    if exit_code:
        words = _CODES.get(exit_code) or _SIGNALS.get(exit_code - 128)
        return f"exit code {exit_code}: {words}" if words else f"exit code {exit_code}"
    return {"success": "went well", "started": "started"}.get(state, state)
