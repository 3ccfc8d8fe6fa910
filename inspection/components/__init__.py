"""The components that pipelines consist of."""

from inspection.components.registry import Component, Parameters, Port, component, components
from inspection.components.values import AnomalyFinding, DetectionList, Kind, StepValue
from inspection.imaging.picture import Picture

__all__ = [
    "AnomalyFinding",
    "Component",
    "DetectionList",
    "Kind",
    "Parameters",
    "Picture",
    "Port",
    "StepValue",
    "component",
    "components",
]
