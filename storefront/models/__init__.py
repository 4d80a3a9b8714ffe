"""The tables of the storefront."""

from storefront.models.cursors import Cursor
from storefront.models.events import Event
from storefront.models.experiments import Arm, Experiment, ExperimentLook, ExperimentUnit

__all__ = ["Arm", "Cursor", "Event", "Experiment", "ExperimentLook", "ExperimentUnit"]
