"""Calls from a stand-in to the application, byte for byte as given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit


class NoAnswer(Exception):
    """The other side could not be reached, hung up, or was too slow."""


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are lower case; of repeated headers the last counts."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def call(method: str, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float, limit: int) -> Answer:
    """Send one plain HTTP request and return the answer, redirects included as they are.

    The target is sent exactly as written in `url`: a usual client would re-encode it, and what was signed must be
    what is sent. At most `limit` bytes of body are read. Raises NoAnswer.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise NoAnswer(f"not an http address: {parts.scheme}://{parts.netloc}")
    target = url.split(parts.netloc, 1)[1].partition("#")[0] or "/"
    connection = HTTPConnection(parts.hostname, parts.port or 80, timeout=timeout_s)
    try:
        connection.request(method, target, body=body or None, headers=dict(headers))
        response = connection.getresponse()
        content = response.read(limit)
    except (OSError, HTTPException) as error:
        raise NoAnswer(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)
