"""The results of runs in words: exit codes and signals."""

_CODES = {
    124: "timed out, if it was run by the program timeout",
    126: "cannot be executed: check that it is executable and its first line is valid",
    127: "command not found",
}
_SIGNALS = {
    1: "hung up",
    2: "interrupted",
    3: "quit",
    6: "aborted",
    9: "killed",
    11: "crashed",
    13: "its output was closed",
    15: "terminated",
    24: "CPU time limit exceeded",
    25: "file size limit exceeded",
}


def in_words(state: str, exit_code: int | None, signal: int | None) -> str:
    """A result in words. A shell's exit code over 128 is 128 plus the signal that killed the
    command (POSIX, "Exit Status for Commands")."""
    if signal is not None:
        return f"{_SIGNALS.get(signal, 'ended')} by signal {signal}"
    if exit_code:
        words = _CODES.get(exit_code) or _SIGNALS.get(exit_code - 128)
        return f"exit code {exit_code}: {words}" if words else f"exit code {exit_code}"
    return {"started": "ran, result not recorded"}.get(state, state)
