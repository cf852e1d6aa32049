"""Deal pipelines, read only."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from sandbox.hubspot.errors import not_found
from sandbox.hubspot.model import pipelines
from sandbox.hubspot.object_types import DEAL, find
from sandbox.hubspot.routes.api import DATED, Call, for_account
from sandbox.kit.app import operation

blueprint = Blueprint("pipelines", __name__)
_BASE = f"/crm/pipelines/{DATED}/<kind>"


@blueprint.get(_BASE)
@operation("pipeline.list")
@for_account
def list_all(call: Call, kind: str) -> ResponseReturnValue:
    """Return the pipelines with their stages."""
    return {"results": [_shown(pipeline) for pipeline in _pipelines(call, kind)]}


@blueprint.get(f"{_BASE}/<pipeline_id>")
@operation("pipeline.read")
@for_account
def read(call: Call, kind: str, pipeline_id: str) -> ResponseReturnValue:
    """Return one pipeline."""
    return _shown(_one(call, kind, pipeline_id))


@blueprint.get(f"{_BASE}/<pipeline_id>/stages")
@operation("pipeline.list_stages")
@for_account
def list_stages(call: Call, kind: str, pipeline_id: str) -> ResponseReturnValue:
    """Return the stages of one pipeline."""
    return {"results": pipelines.stages(_one(call, kind, pipeline_id))}


@blueprint.get(f"{_BASE}/<pipeline_id>/stages/<stage_id>")
@operation("pipeline.read_stage")
@for_account
def read_stage(call: Call, kind: str, pipeline_id: str, stage_id: str) -> ResponseReturnValue:
    """Return one stage."""
    for stage in pipelines.stages(_one(call, kind, pipeline_id)):
        if stage["id"] == stage_id:
            return stage
    raise not_found("stage", stage_id)


def _pipelines(call: Call, kind: str) -> list[dict[str, Any]]:
    call.need("crm.objects.deals.read", "crm.schemas.deals.read")
    return pipelines.visible(call.portal) if find(kind) is DEAL else []


def _one(call: Call, kind: str, pipeline_id: str) -> dict[str, Any]:
    for pipeline in _pipelines(call, kind):
        if pipeline["id"] == pipeline_id:
            return pipeline
    raise not_found("pipeline", pipeline_id)


def _shown(pipeline: dict[str, Any]) -> dict[str, Any]:
    return {**pipeline, "stages": pipelines.stages(pipeline)}
