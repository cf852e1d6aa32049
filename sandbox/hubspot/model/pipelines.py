"""Deal pipelines and their stages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.hubspot.errors import not_found
from sandbox.hubspot.model.portal import Portal


def visible(portal: Portal) -> list[dict[str, Any]]:
    """Return the pipelines that are not archived, in display order."""
    pipelines = [pipeline for pipeline in portal.data["pipelines"] if not pipeline["archived"]]
    return sorted(pipelines, key=lambda pipeline: int(pipeline["displayOrder"]))


def get(portal: Portal, pipeline_id: str) -> dict[str, Any]:
    """Return one pipeline. Raises a 404."""
    for pipeline in visible(portal):
        if pipeline["id"] == pipeline_id:
            return pipeline
    raise not_found("pipeline", pipeline_id)


def stages(pipeline: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the stages that are not archived, in display order."""
    kept = [stage for stage in pipeline["stages"] if not stage["archived"]]
    return sorted(kept, key=lambda stage: int(stage["displayOrder"]))


def stage(portal: Portal, pipeline_id: str | None, stage_id: str | None) -> dict[str, Any] | None:
    """Return the stage of that pipeline, or None."""
    for pipeline in visible(portal):
        if pipeline["id"] == pipeline_id:
            return next((found for found in stages(pipeline) if found["id"] == stage_id), None)
    return None


def is_closed(stage_data: dict[str, Any] | None) -> bool:
    """Whether the stage's metadata says closed."""
    return stage_data is not None and stage_data["metadata"].get("isClosed") == "true"


def is_won(stage_data: dict[str, Any] | None) -> bool:
    """Whether the stage is closed with probability 1: its id and label say nothing."""
    return is_closed(stage_data) and probability(stage_data) == 1


def probability(stage_data: dict[str, Any] | None) -> Decimal | None:
    """The stage's probability from 0 to 1, or None without a stage."""
    return Decimal(stage_data["metadata"].get("probability", "0")) if stage_data is not None else None
