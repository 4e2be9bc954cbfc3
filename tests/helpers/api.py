"""Answers of the API."""

import httpx


def code(answer: httpx.Response) -> tuple[int, str]:
    """Return the HTTP status and PiTasker's code of an error."""
    return answer.status_code, answer.json()["error"]["code"]
