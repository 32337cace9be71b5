"""Rocketman: train, generate, publish and account for text-to-image diffusion pictures."""

__version__ = "0.1.0"
