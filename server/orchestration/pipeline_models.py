"""The models that pipelines use on a server: model files of the object store, loaded once and kept, a few at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from inspection.model_files.step_models import ModelFinder, StepModel
from models.database import Database
from models.errors import NotFound, Unavailable
from models.pipelines import ModelFile
from models.storage import no_room, replacing, sha256_of_file
from server.context import ServerContext
from server.objects.damage import whole_stream
from server.objects.store import ObjectStore

_FOLDER = "models"


class PipelineModels:
    """Finds models by the names in pipelines; safe to use from several threads.

    Args:
        database: with the records of model files.
        objects: with their bytes.
        folder: gets a copy of a model's file, for libraries that read files.
        limit: how many models stay loaded; the one used longest ago makes room.
        at_once: images that a model works on at the same time, where it can.
        others: finds the models that are no records: those of the server's settings.
    """

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        folder: Path,
        *,
        limit: int,
        at_once: int,
        others: Callable[[str], StepModel],
    ) -> None:
        self._database = database
        self._objects = objects
        self._folder = folder
        self._limit = limit
        self._at_once = at_once
        self._others = others
        self._loaded: OrderedDict[str, StepModel] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, name: str) -> StepModel:
        """Return the model that pipelines call ``name``; loads it when it is not in memory.

        Raises:
            NotFound: when there is no such model.
            InvalidInput: when its file is damaged or too new.
            Unavailable: when its bytes cannot be read now.
        """
        with self._database.read() as session:
            record = session.get(ModelFile, name)
            sha256 = None if record is None or record.deleted_at is not None else record.sha256
        if sha256 is None:
            return self._others(name)
        with self._lock:
            model = self._loaded.get(sha256)
            if model is None:
                model = self._loaded[sha256] = self._load(sha256)
            self._loaded.move_to_end(sha256)
            while len(self._loaded) > self._limit:
                self._loaded.popitem(last=False)
            return model

    def _load(self, sha256: str) -> StepModel:
        from inspection.model_library.loading import load_model

        return load_model(self._file(sha256), at_once=self._at_once)

    def _file(self, sha256: str) -> Path:
        """Return a file with the bytes of a model; one that is not what its name says is fetched again."""
        path = self._folder / sha256
        if path.is_file() and sha256_of_file(path) == sha256:
            return path
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                for piece in whole_stream(self._objects, sha256):
                    file.write(piece)
        except NotFound as error:
            raise Unavailable("execution-model-absent", sha256=sha256[:12]) from error
        except OSError as error:
            raise Unavailable("disk-full" if no_room(error) else "objects-unreachable") from error
        return path


def models_of(context: ServerContext, others: ModelFinder) -> PipelineModels:
    """Return the models of a server: those with a record, else those that ``others`` finds."""
    settings = context.settings
    folder = settings.data_dir / _FOLDER
    return PipelineModels(
        context.database,
        context.objects,
        folder,
        limit=settings.execution_models,
        at_once=settings.images_at_once,
        others=others,
    )
