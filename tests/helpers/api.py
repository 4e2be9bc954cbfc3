"""Answers of the API."""

import httpx


def code(answer: httpx.Response) -> tuple[int, str]:
    """The HTTP status and our own code of an error."""
    return answer.status_code, answer.json()["error"]["code"]
