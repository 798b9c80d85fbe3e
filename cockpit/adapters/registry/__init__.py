"""The image registry: whether an image exists, and its digest."""

from cockpit.adapters.registry.client import ImageRegistry
from cockpit.adapters.registry.reference import ImageReference

__all__ = ["ImageReference", "ImageRegistry"]
