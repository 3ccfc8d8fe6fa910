"""Sensor anomaly models: autoencoders trained on normal rows of a table, in NumPy; torch is never imported here."""

from inspection.sensor.model.sensor_model import RowScore, SensorModel
from inspection.sensor.model_file.archive import load_model, model_bytes, model_from_bytes, save_model
from inspection.sensor.scoring.drift import SensorDrift, drift_report
from inspection.sensor.scoring.episode_log import EpisodeLog, TimedEpisode
from inspection.sensor.scoring.episodes import Episode, episodes_of
from inspection.sensor.scoring.rows import RowScores, score_rows
from inspection.sensor.scoring.stream import SensorStream, StreamState
from inspection.sensor.table.data_warnings import DataWarnings, NaValue
from inspection.sensor.table.form import TableForm
from inspection.sensor.table.reading import SensorTable, parse_table, read_table
from inspection.sensor.training.files import SensorFiles, train_files
from inspection.sensor.training.findings import findings_of, rows_not_learned
from inspection.sensor.training.online import FeatureShift, LearningStep, OnlineLearner, OnlineSettings, OnlineState
from inspection.sensor.training.settings import SensorTraining
from inspection.sensor.training.thresholds import choose_again
from inspection.sensor.training.train import TrainingResult, train

__all__ = [
    "DataWarnings",
    "Episode",
    "EpisodeLog",
    "FeatureShift",
    "LearningStep",
    "NaValue",
    "OnlineLearner",
    "OnlineSettings",
    "OnlineState",
    "RowScore",
    "RowScores",
    "SensorDrift",
    "SensorFiles",
    "SensorModel",
    "SensorStream",
    "SensorTable",
    "SensorTraining",
    "StreamState",
    "TableForm",
    "TimedEpisode",
    "TrainingResult",
    "choose_again",
    "drift_report",
    "episodes_of",
    "findings_of",
    "load_model",
    "model_bytes",
    "model_from_bytes",
    "parse_table",
    "read_table",
    "rows_not_learned",
    "save_model",
    "score_rows",
    "train",
    "train_files",
]
