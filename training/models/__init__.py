"""Tables of the learning loop: what was learnt from, each run, and what was measured."""

from training.models.datasets import DatasetSnapshot
from training.models.runs import Approval, EvaluationReport, TrainingRun

__all__ = ["Approval", "DatasetSnapshot", "EvaluationReport", "TrainingRun"]
