"""A module imports lower levels only, freely inside its package; the levels are listed here.

Every import counts, also one inside a function: a heavy library may be late, a layer never wrong.
What only a type checker reads (`if TYPE_CHECKING:`) counts too.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import rocketman

ROOT = Path(rocketman.__file__).parent

LEVELS = {
    "captions": 0,
    "files": 0,
    "runtime": 0,
    "patches": 0,
    "model": 1,
    "flow": 1,
    "precision": 1,
    "prompts": 1,
    "enlarge": 1,
    "sampling": 1,
    "provenance": 1,
    "reading": 1,
    "weights": 1,
    "card": 2,
    "painter": 2,
    "request": 2,
    "starts": 2,
    "labels": 2,
    "parallel": 2,
    "train_config": 2,
    "data": 3,
    "export": 3,
    "rollout": 3,
    "optimizer": 3,
    "generate": 3,
    "looks": 4,
    "material": 4,
    "perception": 4,
    "checkpoints": 4,
    "run_log": 4,
    "doctor": 4,
    "foreign": 4,
    "grid": 4,
    "sheet": 4,
    "detail_network": 4,
    "critic": 5,
    "detail": 6,
    "train_step": 6,
    "train": 7,
    "scenes": 4,
    "audits": 4,
    "evaluate": 5,
    "collection": 5,
    "cli": 8,
}
"""A package has one level for all its modules."""

MODULES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")

TORCH_FREE = (
    *("captions", "files", "prompts", "provenance", "sampling", "weights"),
    *("card", "enlarge", "painter", "request", "runtime", "starts"),
    *("foreign", "generate", "grid", "sheet", "doctor", "scenes", "evaluate", "cli"),
)
"""A plain install runs these."""


def part(path: Path) -> str:
    """The module or package that a file belongs to, directly below `rocketman`."""
    return home(path.relative_to(ROOT).with_suffix("").parts[0])


def home(name: str) -> str:
    """Command files share the level of the command line, as if they were one package."""
    return "cli" if name.startswith("cli_") or name == "__main__" else name


def imported(path: Path) -> set[str]:
    """Dotted names of everything a file imports, relative imports refused."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    own = part(path)
    assert own in LEVELS, f"{own} has no level yet: give it one in {Path(__file__).name}"
    for name in imported(path):
        match name.split("."):
            case ["rocketman", "__version__"]:
                pass
            case ["rocketman", other, *_] if other in rocketman.__all__:
                assert own == "cli", f"{own} imports the public {name}"
            case ["rocketman", other, *_]:
                assert home(other) in LEVELS, f"{own} imports {name}, which is nowhere"
                below = LEVELS[home(other)] < LEVELS[own]
                assert below or home(other) == own, f"{own} imports {name}"


def test_a_plain_install_needs_no_torch() -> None:
    for path in MODULES:
        if part(path) in TORCH_FREE:
            heavy = {name.split(".")[0] for name in imported(path)} & {"torch", "onnx"}
            assert not heavy, f"{path} imports {heavy}"


def test_blender_is_kept_behind_files() -> None:
    """Blender is GPL: only `scenes` imports it, and nothing of ours imports what does."""
    blender = {"bpy", "bmesh", "mathutils"}
    holders = {
        path for path in MODULES if blender & {name.split(".")[0] for name in imported(path)}
    }
    assert {part(path) for path in holders} <= {"scenes"}
    modules = {f"rocketman.scenes.{path.stem}" for path in holders}
    for path in MODULES:
        if path not in holders:
            for name in imported(path):
                assert not any(
                    name == module or name.startswith(f"{module}.") for module in modules
                )
