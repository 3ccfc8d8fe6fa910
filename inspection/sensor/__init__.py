"""Sensor anomaly models: trained on normal rows of a table, scored with NumPy alone; torch is never imported here."""

from inspection.sensor.archive import load_model, model_bytes, model_from_bytes, save_model
from inspection.sensor.drift import SensorDrift, drift_report
from inspection.sensor.files import SensorFiles, train_files
from inspection.sensor.model import Judgement, SensorModel
from inspection.sensor.scoring import ScoredRows, score_rows
from inspection.sensor.settings import SensorTraining
from inspection.sensor.stream import SensorStream
from inspection.sensor.table.data_warnings import Doubts, StandIn
from inspection.sensor.table.reading import SensorTable, parse_table, read_table
from inspection.sensor.training.online import Learned, OnlineLearner, OnlineSettings, Travel
from inspection.sensor.training.train import Trained, train

__all__ = [
    "Doubts",
    "Judgement",
    "Learned",
    "OnlineLearner",
    "OnlineSettings",
    "ScoredRows",
    "SensorDrift",
    "SensorFiles",
    "SensorModel",
    "SensorStream",
    "SensorTable",
    "SensorTraining",
    "StandIn",
    "Trained",
    "Travel",
    "drift_report",
    "load_model",
    "model_bytes",
    "model_from_bytes",
    "parse_table",
    "read_table",
    "save_model",
    "score_rows",
    "train",
    "train_files",
]
