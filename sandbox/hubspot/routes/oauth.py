"""OAuth: exchange, refresh, introspection, revocation and uninstall. The consent page is among the pages."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from sandbox.hubspot.context import Context, context
from sandbox.hubspot.errors import HubSpotError
from sandbox.hubspot.model.tokens import ACCESS_LIFE_S, Grant
from sandbox.hubspot.routes.api import DATED, Call, for_account
from sandbox.kit.app import note, operation

blueprint = Blueprint("oauth", __name__)


class OAuthError(Exception):
    """An error of the token endpoints: RFC 6749's names beside HubSpot's older `status` and `message`."""

    def __init__(self, error: str, status: str, message: str, http_status: int = 400) -> None:
        super().__init__(message)
        self.error = error
        self.status = status
        self.http_status = http_status

    def body(self) -> dict[str, str]:
        """Return the JSON body."""
        message = str(self)
        return {
            "error": self.error,
            "error_description": message,
            "status": self.status,
            "message": message,
            "correlationId": str(uuid.uuid4()),
        }


@blueprint.errorhandler(OAuthError)
def _refused(error: OAuthError) -> ResponseReturnValue:
    return error.body(), error.http_status, {"Cache-Control": "no-store"}


@blueprint.post(f"/oauth/{DATED}/token")
@operation("oauth.token")
def token(version: str) -> ResponseReturnValue:
    """Exchange a code, or refresh."""
    form = _form()
    here = context()
    _check_client(here, form)
    grant_type = form.get("grant_type", "")
    with here.kit.store.lock:
        if grant_type == "authorization_code":
            answer = _exchange(here, form)
        elif grant_type == "refresh_token":
            answer = _refresh(here, form)
        else:
            message = f"grant_type {grant_type or 'is missing'}"
            raise OAuthError("unsupported_grant_type", "BAD_GRANT_TYPE", message)
    return answer, 200, {"Cache-Control": "no-store"}


@blueprint.post(f"/oauth/{DATED}/token/introspect")
@operation("oauth.introspect")
def introspect(version: str) -> ResponseReturnValue:
    """Say what a token is; one that is unknown or expired is `{"active": false}`."""
    form = _form()
    here = context()
    _check_client(here, form)
    text = form.get("token", "")
    with here.kit.store.lock:
        access, refresh = here.tokens.access(text), here.tokens.refresh(text)
        grant = access or refresh
        if grant is None or (access is not None and access["expires_at"] <= here.tokens.now()):
            return {"active": False}
        return _about(here, grant, is_access=access is not None)


@blueprint.post(f"/oauth/{DATED}/token/revoke")
@operation("oauth.revoke")
def revoke(version: str) -> ResponseReturnValue:
    """End a refresh token."""
    form = _form()
    here = context()
    _check_client(here, form)
    with here.kit.store.lock:
        here.tokens.revoke(form.get("token", ""))
    return "", 200


@blueprint.delete(f"/appinstalls/{DATED}/external-install")
@operation("app.uninstall")
@for_account
def uninstall(call: Call) -> ResponseReturnValue:
    """Take the app out of the calling account."""
    context().tokens.uninstall(call.portal)
    return "", 204


def _form() -> Mapping[str, str]:
    if request.mimetype != "application/x-www-form-urlencoded":
        message = "Unsupported Media Type: send application/x-www-form-urlencoded"
        raise HubSpotError(415, "VALIDATION_ERROR", message)
    return request.form


def _check_client(here: Context, form: Mapping[str, str]) -> None:
    if form.get("client_id") != here.settings.client_id:
        raise OAuthError("invalid_client", "BAD_CLIENT_ID", "missing or unknown client id")
    given = form.get("client_secret", "").encode()
    if not hmac.compare_digest(given, here.settings.client_secret.encode()):
        raise OAuthError("invalid_client", "BAD_CLIENT_SECRET", "missing or invalid client secret")


def _exchange(here: Context, form: Mapping[str, str]) -> dict[str, Any]:
    redirect_uri = form.get("redirect_uri", "")
    if redirect_uri not in here.settings.redirect_urls:
        raise OAuthError("invalid_request", "BAD_REDIRECT_URI", "missing or unknown redirect URI")
    grant = here.tokens.use_code(form.get("code", ""))
    if grant is None:
        raise OAuthError("invalid_grant", "BAD_AUTH_CODE", "missing or unknown auth code")
    if grant["redirect_uri"] != redirect_uri:
        raise OAuthError("invalid_request", "BAD_REDIRECT_URI", "redirect URI does not match the one of the consent")
    portal = here.portals.find(grant["hub_id"])
    if portal is None:
        raise OAuthError("access_denied", "BAD_HUB", "missing or unknown hub id")
    access, refresh = here.tokens.install(portal, grant)
    return _answer(grant, access, refresh)


def _refresh(here: Context, form: Mapping[str, str]) -> dict[str, Any]:
    refresh = form.get("refresh_token", "")
    grant = here.tokens.refresh(refresh)
    if grant is None:
        raise OAuthError("invalid_grant", "BAD_REFRESH_TOKEN", "missing or invalid refresh token")
    if here.portals.find(grant["hub_id"]) is None:
        raise OAuthError("access_denied", "BAD_HUB", "missing or unknown hub id")
    return _answer(grant, here.tokens.new_access(grant), refresh)


def _answer(grant: Grant, access: str, refresh: str) -> dict[str, Any]:
    note(account=grant["hub_id"])
    return {
        "access_token": access,
        "refresh_token": refresh,
        "expires_in": ACCESS_LIFE_S,
        "token_type": "bearer",
        "token_use": "access_token",
        "hub_id": grant["hub_id"],
        "user_id": grant["user_id"],
        "scopes": grant["scopes"],
    }


def _about(here: Context, grant: Grant, *, is_access: bool) -> dict[str, Any]:
    portal = here.portals.get(grant["hub_id"])
    note(account=portal.hub_id)
    answer: dict[str, Any] = {
        "active": True,
        "token_use": "access_token" if is_access else "refresh_token",
        "token_type": "bearer",
        "client_id": here.settings.client_id,
        "app_id": here.settings.app_id,
        "hub_id": portal.hub_id,
        "hub_domain": portal.user["email"].partition("@")[2],
        "user_id": grant["user_id"],
        "user": portal.user["email"],
        "scopes": grant["scopes"],
    }
    if not is_access:
        return answer
    answer["expires_in"] = int(grant["expires_at"] - here.tokens.now())
    answer["signed_access_token"] = {
        "hublet": portal.data["hublet"],
        "hubId": portal.hub_id,
        "userId": grant["user_id"],
        "installingUserId": grant["user_id"],
        "appId": here.settings.app_id,
        "expiresAt": int(grant["expires_at"] * 1000),
        "scopes": " ".join(grant["scopes"]),
        "isUserLevel": False,
        "isPrivateDistribution": False,
        "isServiceAccount": False,
    }
    return answer
