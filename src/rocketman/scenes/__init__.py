"""Scenes that we render ourselves: `spec` (seed -> scene), Blender builders, `dataset`.

Only the builders import bpy, and only inside the rendering worker process.
"""
