"""The cookie that binds an OAuth state to the browser that began."""

from __future__ import annotations

from flask import Response, request

from app.core.crypto import new_token
from app.edge import wiring


def browser_secret(provider: str) -> str:
    """Return this browser's secret for a provider's flow, or an empty text."""
    return request.cookies.get(_name(provider), "")


def set_browser_secret(response: Response, provider: str, secret: str) -> None:
    """Bind the flow to this browser for ten minutes. Partitioned where https allows, for frames of HubSpot."""
    secure = wiring().settings.public_origin.startswith("https://")
    response.set_cookie(
        _name(provider),
        secret,
        max_age=600,
        httponly=True,
        secure=secure,
        path="/oauth/",
        samesite="None" if secure else "Lax",
        partitioned=secure,
    )


def clear_browser_secret(response: Response, provider: str) -> None:
    """Forget the binding once it was used."""
    secure = wiring().settings.public_origin.startswith("https://")
    response.delete_cookie(
        _name(provider), path="/oauth/", secure=secure, httponly=True, samesite="None" if secure else "Lax",
        partitioned=secure,
    )  # fmt: skip


def fresh_secret(provider: str) -> str:
    """Return the browser's secret, or a new one."""
    return browser_secret(provider) or new_token()


def _name(provider: str) -> str:
    return f"dealwright_{provider}_state"
