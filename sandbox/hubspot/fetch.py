"""What `hubspot.fetch()` does for a card: adds who asks, signs, sends, and repeats a failure once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from sandbox.hubspot.settings import Settings
from sandbox.hubspot.signing import sign_v3
from sandbox.hubspot.timestamps import now_ms
from sandbox.kit.outgoing import Answer, NoAnswer, call

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TIMEOUT_S = 15.0
SIZE_LIMIT = 1024 * 1024
TRIES = 2


class Refused(ValueError):
    """HubSpot would not make this call; the message says why."""


@dataclass(frozen=True)
class Asker:
    """Whose card asks, and the person who looks at it."""

    portal_id: int | str
    user_id: int | str
    user_email: str


def fetch(settings: Settings, asker: Asker, method: str, url: str, body: Any = None) -> Answer:
    """Make a card's call. Raises Refused for a URL that is not permitted, and NoAnswer when two tries gave none.

    `userId`, `portalId`, `userEmail` and `appId` are appended to the query, the address as `ada%40example.com`.
    A text body is sent as it is, anything else as JSON. A 5xx or a lost connection is tried once more.
    """
    if method not in METHODS:
        raise Refused(f"the method must be one of {', '.join(METHODS)}")
    _check_url(settings, url)
    payload = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    if len(payload) > SIZE_LIMIT:
        raise Refused("the request is larger than 1 MB")
    target = _with_identity(settings, asker, url)
    for turn in range(1, TRIES + 1):
        try:
            answer = call(method, target, _headers(settings, method, target, payload), payload, TIMEOUT_S, SIZE_LIMIT)
        except NoAnswer:
            if turn == TRIES:
                raise
            continue
        if answer.status < 500 or turn == TRIES:
            return answer
    raise AssertionError("every turn returns or raises")


def readable(answer: Answer) -> Any:
    """Return the body of an answer: parsed when it is JSON, else as text."""
    text = answer.body.decode(errors="replace")
    if "json" not in answer.headers.get("content-type", ""):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _check_url(settings: Settings, url: str) -> None:
    permitted = f"{settings.app_origin}/cards/"
    path = unquote(urlsplit(url).path)
    if not url.startswith(permitted) or "/../" in f"{path}/" or "\\" in path or "#" in url:
        raise Refused(f"the URL is not permitted: it must start with {permitted}")
    if any(not 32 < ord(letter) < 127 for letter in url):
        raise Refused("the URL must be encoded")


def _with_identity(settings: Settings, asker: Asker, url: str) -> str:
    pairs = {
        "userId": asker.user_id,
        "portalId": asker.portal_id,
        "userEmail": asker.user_email,
        "appId": settings.app_id,
    }
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in pairs.items())
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _headers(settings: Settings, method: str, url: str, body: bytes) -> dict[str, str]:
    timestamp = str(now_ms())
    headers = {
        "X-HubSpot-Signature-v3": sign_v3(settings.client_secret, method, url, body, timestamp),
        "X-HubSpot-Request-Timestamp": timestamp,
        "Accept": "application/json",
        "User-Agent": "HubSpot Connect 2.0 (stand-in)",
    }
    return {**headers, "Content-Type": "application/json"} if body else headers
