"""The pipelines that streams name, validated and with their models loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.database import Database
from models.errors import InvalidInput, NotFound
from models.pipelines import Pipeline
from server.camera_stream.frames import PreparedPipeline

if TYPE_CHECKING:
    from inspection.model_files.step_models import ModelFinder
    from inspection.pipeline.validation import ValidatedPipeline


@dataclass(frozen=True, slots=True)
class Pipelines:
    """Finds pipelines: by their id in the database, else by name those of the settings, else those of the product.

    Attributes:
        database: of the server; None for a service without one.
        files: name → pipeline file.
        models: finds the models that steps name, each loaded once for all streams.
    """

    database: Database | None
    files: Mapping[str, Path]
    models: ModelFinder

    def prepare(self, pipeline_id: str) -> PreparedPipeline:
        """Return a pipeline that can run at once; loading its models may take seconds.

        Raises:
            InvalidInput: ``stream-no-pipeline`` without an id, or what is wrong with the definition.
            NotFound: ``pipeline-not-found``, or as ``models`` when there is no such model.
            DoesNotFit: as ``inspection.pipeline.runner.Runner``.
            Unavailable: when the database is not reachable.
        """
        if not pipeline_id:
            raise InvalidInput("stream-no-pipeline")
        from inspection.pipeline.runner import Runner

        name, version, pipeline = self._find(pipeline_id)
        used = {model: self.models(model) for model in sorted(pipeline.models())}
        return PreparedPipeline(pipeline_id, name, version, Runner(pipeline, used))

    def _find(self, pipeline_id: str) -> tuple[str, int, ValidatedPipeline]:
        from inspection.pipeline.definition import PipelineDefinition, ready_definition, ready_names
        from inspection.pipeline.reading import read_pipeline
        from inspection.pipeline.validation import validate_definition

        if self.database is not None:
            with self.database.read() as session:
                stored = session.get(Pipeline, pipeline_id)
                if stored is not None and stored.deleted_at is None:
                    definition = PipelineDefinition.parse(stored.definition)
                    return stored.name, stored.version, validate_definition(definition)
        if pipeline_id in self.files:
            pipeline = read_pipeline(self.files[pipeline_id])
        elif pipeline_id in ready_names():
            pipeline = validate_definition(ready_definition(pipeline_id))
        else:
            raise NotFound("pipeline-not-found")
        return pipeline.definition.name, 1, pipeline
