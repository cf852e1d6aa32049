"""The HTTP surface: one module per family. A new family adds a module and a line in ALL."""

from flask import Blueprint

from sandbox.hubspot.routes import account, associations, control, oauth, objects, pipelines, properties, search
from sandbox.hubspot.routes.pages import billing, board, consent, records

ALL: tuple[Blueprint, ...] = (
    oauth.blueprint,
    account.blueprint,
    search.blueprint,
    objects.blueprint,
    associations.blueprint,
    pipelines.blueprint,
    properties.blueprint,
    control.blueprint,
    consent.blueprint,
    board.blueprint,
    records.blueprint,
    billing.blueprint,
)
