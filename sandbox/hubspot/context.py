"""What every request of the stand-in works with."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from sandbox.hubspot.model.events import Events
from sandbox.hubspot.model.portal import Portals
from sandbox.hubspot.model.tokens import Tokens
from sandbox.hubspot.settings import Settings
from sandbox.kit.app import Kit


@dataclass(frozen=True)
class Context:
    """The parts of the running stand-in."""

    settings: Settings
    kit: Kit
    portals: Portals
    tokens: Tokens
    events: Events


def context() -> Context:
    """Return the parts of the stand-in that handles the current request."""
    parts: Context = current_app.extensions["hubspot"]
    return parts
