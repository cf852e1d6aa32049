"""OAuth: the consent page, the token endpoint, revocation."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.kit.app import operation
from sandbox.quickbooks import standin
from sandbox.quickbooks.grants import REFRESH_LIFE_S, SCOPES, InvalidGrant, Tokens

blueprint = Blueprint("consent", __name__)
_KEPT = ("client_id", "response_type", "scope", "redirect_uri", "state")
_HARD_HEADER = "x-include-refresh-token-hard-expires-in"


class BadRequest(Exception):
    """A request that must not be answered by a redirect."""


@blueprint.get("/connect/oauth2")
@operation("oauth.authorize")
def ask() -> ResponseReturnValue:
    """Show the consent page. Provider fact: it refuses to be framed."""
    try:
        _check_client()
    except BadRequest as error:
        return _page("quickbooks/refused.html", 400, reason=str(error))
    if _wrong_scope():
        return _back(error="invalid_scope")
    names = []
    for realm_id in standin.get().realm_ids():
        with standin.get().books(realm_id, writes=False) as books:
            names.append((realm_id, books.profile["name"]))
    kept = [(name, request.values.get(name, "")) for name in _KEPT]
    return _page("quickbooks/consent.html", 200, companies=names, kept=kept)


@blueprint.post("/connect/oauth2")
@operation("oauth.consent")
def decide() -> ResponseReturnValue:
    """Take the decision, from the page or from a script, and go back to the app with code, state and realmId."""
    try:
        _check_client()
    except BadRequest as error:
        return _page("quickbooks/refused.html", 400, reason=str(error))
    if _wrong_scope():
        return _back(error="invalid_scope")
    if request.form.get("decision") != "connect":
        return _back(error="access_denied")
    realm_id = request.form.get("realm_id", "")
    if realm_id not in standin.get().realm_ids():
        return _page("quickbooks/refused.html", 400, reason="This company does not exist.")
    code = standin.get().grants.consent(realm_id, request.values["redirect_uri"], request.values["scope"])
    return _back(code=code, realmId=realm_id)


@blueprint.post("/oauth2/v1/tokens/bearer")
@operation("oauth.token")
def token() -> ResponseReturnValue:
    """Trade a code or a refresh token for tokens."""
    if not _is_our_client():
        return _error(401, "invalid_client")
    kind = request.form.get("grant_type")
    grants = standin.get().grants
    try:
        if kind == "authorization_code":
            return _tokens(grants.exchange(request.form.get("code", ""), request.form.get("redirect_uri", "")))
        if kind == "refresh_token":
            always = standin.get().behaviour["rotate"] == "always"
            return _tokens(grants.refresh(request.form.get("refresh_token", ""), always))
    except InvalidGrant:
        return _error(400, "invalid_grant", "Token invalid, expired, revoked or already used")
    return _error(400, "unsupported_grant_type")


@blueprint.post("/v2/oauth2/tokens/revoke")
@operation("oauth.revoke")
def revoke() -> ResponseReturnValue:
    """End a grant by either of its tokens. Provider fact: the body is JSON."""
    if not _is_our_client():
        return _error(401, "invalid_client")
    body = request.get_json(silent=True)
    named = body.get("token") if isinstance(body, dict) else None
    if not isinstance(named, str) or not standin.get().grants.revoke(named):
        return _error(400, "invalid_request")
    return Response(status=200)


def _check_client() -> None:
    settings = standin.get().settings
    if request.values.get("client_id") != settings.client_id:
        raise BadRequest("The client_id of the app is not known.")
    if request.values.get("redirect_uri") not in settings.redirect_urls:
        raise BadRequest("The redirect_uri does not match one of the app's redirect addresses, character by character.")
    if request.values.get("response_type") != "code":
        raise BadRequest("The response_type must be code.")


def _wrong_scope() -> bool:
    asked = request.values.get("scope", "").split()
    return not asked or not set(asked) <= SCOPES


def _back(**answer: str) -> ResponseReturnValue:
    state = request.values.get("state")
    parameters = answer | ({"state": state} if state else {})
    return redirect(f"{request.values['redirect_uri']}?{urlencode(parameters)}", 302)


def _page(template: str, status: int, **values: Any) -> Response:
    response = make_response(render_template(template, **values), status)
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Content-Security-Policy"] = "frame-ancestors 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_our_client() -> bool:
    """Check the app's id and secret, by HTTP Basic or in the form (both are in the discovery document)."""
    settings = standin.get().settings
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    given = f"{request.form.get('client_id', '')}:{request.form.get('client_secret', '')}".encode()
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            return False
    return secrets.compare_digest(given, f"{settings.client_id}:{settings.client_secret}".encode())


def _tokens(tokens: Tokens) -> ResponseReturnValue:
    answer: dict[str, Any] = {
        "token_type": "bearer",
        "expires_in": 3600,
        "refresh_token": tokens.refresh_token,
        "x_refresh_token_expires_in": min(REFRESH_LIFE_S, tokens.refresh_expires_in_s),
        "access_token": tokens.access_token,
    }
    if request.headers.get(_HARD_HEADER, "").lower() == "true":
        answer["x_refresh_token_hard_expires_in"] = tokens.hard_expires_in_s
    response = jsonify(answer)
    response.headers["Cache-Control"] = "no-store"
    return response


def _error(status: int, error: str, description: str | None = None) -> ResponseReturnValue:
    return jsonify({"error": error} | ({"error_description": description} if description else {})), status
