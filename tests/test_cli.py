"""The command line as people and scripts meet it: results, sentences, exit codes."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import rocketman
from rocketman import cli
from rocketman.provenance import picture

PROMPT = "an astronaut in a white suit playing a harp above mars"


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `rocketman ARGUMENTS...` in an empty folder; an unforeseen exception fails the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def call(*arguments: str | Path) -> Result:
        monkeypatch.setattr(sys, "argv", ["rocketman", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        captured = capsys.readouterr()
        code = stopped.value.code
        return Result(code if isinstance(code, int) else int(code is not None), *captured)

    return call


def test_alone_it_says_three_lines(run: Run) -> None:
    result = run()
    assert result.code == 0
    make, tour, check = result.out.splitlines()
    assert "rocketman generate" in make
    assert "docs/tour.md" in tour
    assert Path(__file__).parents[1].joinpath("docs", "tour.md").is_file()
    assert "rocketman words" in tour
    assert "rocketman --help" in tour
    assert "rocketman doctor" in check


def test_generate(run: Run, model_folder: Path) -> None:
    result = run(
        "generate", PROMPT, "a cat, a drum", "-n", "2", "--seed", "5", "--steps", "2",
        "--model", model_folder, "--out", "out",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert result.out == ""
    names = sorted(path.name for path in Path("out").iterdir())
    assert names == [
        "0001-an-astronaut-in-a-white-suit-playing-a-harp-above-mars-seed5.png",
        "0002-an-astronaut-in-a-white-suit-playing-a-harp-above-mars-seed6.png",
        "0003-a-cat-a-drum-seed5.png",
        "0004-a-cat-a-drum-seed6.png",
    ]
    assert "ignored: cat" in result.err
    assert result.err.startswith("Drawing 4 pictures into out")
    recipe = picture.read(Path("out") / names[1])
    assert recipe is not None
    assert (recipe.prompt, recipe.seed, recipe.num_inference_steps) == (PROMPT, 6, 2)


def test_generate_alternatives_and_files_of_prompts(
    run: Run, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("prompts.txt").write_text("\ufeff# mine\na {harp|drum} above mars\n\na __suits__ suit\n")
    result = run(
        "generate", "--prompts", "prompts.txt", "a guitar", "--seed", "1", "--steps", "1",
        "--model", model_folder, "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    drawn = [entry["prompt"] for entry in json.loads(result.out)]
    assert drawn[:3] == ["a guitar", "a harp above mars", "a drum above mars"]
    assert "an orange suit" in drawn
    assert len(drawn) == 3 + 5
    again = run(
        "generate", "in a orange suit", "a {harp|drum}", "--seed", "1", "--steps", "1",
        "--model", model_folder, "--json",
    )  # fmt: skip
    drawn = [entry["prompt"] for entry in json.loads(again.out)]
    assert drawn == ["in a orange suit", "a harp", "a drum"], "only templates are written anew"
    assert run("generate", "a {harp", "--model", model_folder).code == 2
    assert run("generate", "a harp}", "--model", model_folder).code == 2
    assert "did you mean" in run("generate", "a __suit__", "--model", model_folder).err
    for name, why in (("missing.txt", "No such file"), ("notes.bin", "text in UTF-8")):
        Path("notes.bin").write_bytes(b"\xff\xfe\xff")
        result = run("generate", "--prompts", name)
        assert (result.code, why in result.err) == (2, True)
    assert "There is no prompt" in run("generate").err
    monkeypatch.setattr(sys, "stdin", None)
    assert "Standard input is closed" in run("generate", "--prompts", "-").err


def test_grid(run: Run, model_folder: Path) -> None:
    result = run(
        "grid", "--rows", "suit", "--columns", "place", "--instrument", "lyre",
        "--model", model_folder, "--out", "table.png",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "40 pictures, 8 of them pairs" in result.err, "red suit and harp are held out"
    assert "read as: lyre = harp" in result.err
    with Image.open("table.png") as sheet:
        assert sheet.width > sheet.height
        recipes = json.loads(sheet.info["rocketman-sheet"])
    assert recipes[0]["prompt"] == (
        "an astronaut in a white suit playing a harp above the blue earth"
    )
    assert run("verify", "table.png").code == 0
    for command in ("redo", "vary"):
        assert "table.png shows several pictures" in run(command, "table.png").err
    for wrong in (["--rows", "suit", "--columns", "suit"], ["--rows", "x", "--columns", "suit"]):
        assert run("grid", *wrong, "--model", model_folder).code == 2
    wrong = ["--rows", "suit", "--columns", "place", "--suit", "white"]
    assert "Every suit is drawn already" in run("grid", *wrong, "--model", model_folder).err
    wrong = ["--rows", "suit", "--columns", "place", "--instrument", "kazoo"]
    assert "it knows" in run("grid", *wrong, "--model", model_folder).err
    wrong = ["--rows", "suit", "--columns", "instrument", "--place", "above marz"]
    assert "did you mean 'above mars'?" in run("grid", *wrong, "--model", model_folder).err
    Path("other.png").write_bytes(b"mine")
    wrong = ["--rows", "suit", "--columns", "place", "--out", "other.png"]
    assert "no sheet of ours" in run("grid", *wrong, "--model", model_folder).err
    assert Path("other.png").read_bytes() == b"mine"


def test_doctor(run: Run) -> None:
    result = run("doctor", "--json")
    findings = {entry["what"]: entry for entry in json.loads(result.out)}
    assert result.code == 0, findings
    assert set(findings) == {"machine", "drawing", "signing", "disk", "extras"}
    assert "256 pixels" in findings["drawing"]["text"]
    assert findings["drawing"]["text"].endswith("CPUExecutionProvider")


def test_generate_says_how_it_read_a_prompt(run: Run, model_folder: Path) -> None:
    result = run(
        "generate", "a kosmonaut seeing an uke on the red planet, xylofone", "-n", "2",
        "--steps", "1", "--model", model_folder, "--json",
    )  # fmt: skip
    assert "read as: kosmonaut = astronaut, uke = ukulele, on the red planet = above" in result.err
    assert result.err.count("ignored: seeing; `rocketman words`") == 1, "once a prompt"
    first, second = json.loads(result.out)
    assert first["read_as"]["xylofone"] == "xylophone"
    assert first["read_as"] == second["read_as"]
    assert "nearest known: guitar" in run(
        "generate", "a harp gitarre", "--steps", "1", "--model", model_folder
    ).err  # fmt: skip
    assert "room for one of harp, drum kit" in run(
        "generate", "a harp and a drum kit", "--steps", "1", "--model", model_folder
    ).err  # fmt: skip
    assert 'for one prompt: "a harp above"' in run(
        "generate", "a", "harp", "above", "--steps", "1", "--model", model_folder
    ).err  # fmt: skip
    assert "too long, so not read: drum" in run(
        "generate", "a harp " * 8 + "drum", "--steps", "1", "--model", model_folder
    ).err  # fmt: skip
    assert "x" * 300 not in run(
        "generate", "a harp " + "x" * 3000, "--steps", "1", "--model", model_folder
    ).err  # fmt: skip


def test_generate_again_loses_nothing(run: Run, model_folder: Path) -> None:
    for _ in range(2):
        run("generate", "a harp", "--seed", "1", "--steps", "1", "--model", model_folder)
    names = sorted(path.name for path in cli.PICTURES.iterdir())
    assert names == ["0001-a-harp-seed1.png", "0002-a-harp-seed1.png"]


def test_generate_json(run: Run, model_folder: Path) -> None:
    result = run(
        "generate", "a cat, a drum", "-n", "2", "--seed", "5", "--steps", "2", "--size", "32",
        "--guidance-scale", "2", "--negative-prompt", "a harp", "--model", model_folder, "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert [set(entry) for entry in found] == [
        {"file", "prompt", "seed", "seconds", "unknown_words", "read_as"}
    ] * 2
    assert [entry["seed"] for entry in found] == [5, 6]
    assert found[0]["unknown_words"] == ["cat"]
    assert found[0]["seconds"] >= 0
    recipe = picture.read(found[1]["file"])
    assert recipe is not None
    assert (recipe.negative_prompt, recipe.guidance_scale, recipe.width) == ("a harp", 2.0, 32)


def test_defaults_are_the_pipelines() -> None:
    """Written out in cli.py, so that --help loads no heavy library."""
    ours = inspect.signature(cli.generate).parameters
    theirs = inspect.signature(rocketman.Pipeline.__call__).parameters
    assert ours["steps"].default == theirs["num_inference_steps"].default
    assert ours["guidance_scale"].default == theirs["guidance_scale"].default
    assert ours["negative_prompt"].default == theirs["negative_prompt"].default
    assert ours["n"].default == theirs["num_images_per_prompt"].default


def test_verify(run: Run, model_folder: Path, tmp_path: Path) -> None:
    common = ("--model", model_folder, "--json")
    [made] = json.loads(run("generate", PROMPT, "--steps", "1", "--size", "32", *common).out)
    Image.new("RGB", (64, 64)).save(tmp_path / "other.png")
    result = run("verify", made["file"], "--json")
    assert result.code == 0
    [verdict] = json.loads(result.out)
    assert verdict["credentials"]["state"] == "valid"
    assert verdict["recipe"]["prompt"] == PROMPT
    result = run("verify", made["file"], "other.png")
    assert result.code == 1
    assert "Nothing in it tells where it comes from." in result.out
    result = run("verify", "missing.png", "--json")
    assert (result.code, result.out) == (2, "")
    assert "no such file" in result.err
    result = run("verify", made["file"], ".", "--json")
    assert (result.code, len(json.loads(result.out))) == (2, 1)
    assert ". cannot be verified: it is a folder." in result.err


def test_redo(run: Run, model_folder: Path) -> None:
    common = ("--model", model_folder, "--json")
    first = run("generate", PROMPT, "--seed", "5", "--steps", "2", "--size", "32", *common)
    [made] = json.loads(first.out)
    result = run("redo", made["file"], *common)
    [again] = json.loads(result.out)
    assert again["file"] != made["file"]
    with Image.open(again["file"]) as a, Image.open(made["file"]) as b:
        assert (a.tobytes(), a.info) == (b.tobytes(), b.info)
    assert "look different" not in result.err


def test_redo_with_another_model_says_so(run: Run, model_folder: Path) -> None:
    recipe = rocketman.Recipe(
        prompt="a harp",
        seed=1,
        sampler="euler",
        num_inference_steps=1,
        guidance_scale=1.0,
        width=16,
        height=16,
        model="another",
        model_hash="ffffffffffff",
        version="0.0.1",
    )
    picture.save(Image.new("RGB", (16, 16)), Path("old.png"), recipe)
    result = run("redo", "old.png", "--model", model_folder)
    assert result.code == 0
    assert "made by the model another (ffffffffffff), not by tiny" in result.err


def test_words(run: Run, model_folder: Path) -> None:
    result = run("words", "--model", model_folder)
    assert result.code == 0
    assert "instrument  guitar, electric guitar" in result.out
    assert "violin = fiddle, viola" in result.out
    assert "others" in result.out
    table = json.loads(run("words", "--model", model_folder, "--json").out)
    assert "white" in table["suit"]
    assert table["synonyms"]["the red planet"] == "mars"
    assert "instrument alone" not in table["relation"], "no word of a prompt"


def test_version(run: Run) -> None:
    assert run("version").out == f"{rocketman.__version__}\n"


MODEL = "MODEL"  # stands for the folder of the tiny model
WRONG = [
    (["generate"], "There is no prompt"),
    (["generate", "", "--model", MODEL], "A prompt is empty"),
    (["generate", "cats", "--model", MODEL], "knows no word of 'cats'"),
    (["generate", "a harp", "--model", "nowhere"], "nowhere is not a model folder"),
    (["generate", "a harp", "--model", "."], ". is not a model folder: it lacks"),
    (["generate", "a harp", "--model", MODEL, "--size", "20"], "it draws 16, 32 or 64 pixels"),
    (["generate", "a harp", "--model", MODEL, "-n", "0"], "at least 1, not 0"),
    (["generate", "a harp", "--model", MODEL, "-n", "many"], "Invalid value for '-n'"),
    (["generate", "a harp", "--model", MODEL, "--steps", "0"], "from 1 to 1000, not 0"),
    (["generate", "a harp", "--model", MODEL, "--guidance-scale", "99"], "from 0 to 30, not 99"),
    (["generate", "a harp", "--model", MODEL, "--seed", "-1"], "should lie from 0"),
    (["generate", "a harp", "--model", MODEL, "--out", "file"], "cannot be written to file"),
    (["generate", "a harp", "--model", MODEL, "--out", "/proc/none"], "choose another folder"),
    (["generate", "a harp", "--sed", "1"], "--seed"),
    (["generat", "a harp"], "'generat'. Did you mean: rocketman generate 'a harp'"),
    (["a harp above mars"], "Did you mean: rocketman generate 'a harp above mars'"),
    (["render", "--count", "5"], "Did you mean: rocketman dataset render --count 5"),
    (["--version"], "Did you mean: rocketman version"),
    (
        ["generate", "--sede", "1", "a harp"],
        "--sede. Did you mean: rocketman generate --seed 1 'a harp'",
    ),
    (["generate", "a harp", "-seed", "1"], "Did you mean: rocketman generate 'a harp' --seed 1"),
    (["generate", "--format", "pgn", "x"], "'webp'. Did you mean: rocketman generate --format png"),
    (["grid", "--rows", "suits", "--columns", "place"], "rocketman grid --rows suit --columns"),
    (["genrate", "--sede=1", "--fromat=JPG"], "rocketman generate --seed=1 --format=jpg"),
    (["generate", "a harp", "--xylem", "1"], "No such option: --xylem"),
    (["redo"], "Missing argument 'FILE'"),
    (["redo", "nowhere.png"], "there is no such file"),
    (["redo", "file"], "it is not a picture"),
    (["redo", "plain.png"], "holds no recipe"),
    (["redo", "."], ". cannot be read: it is a folder"),
    (["words", "--model", "nowhere"], "nowhere is not a model folder"),
    (["train", "nowhere.toml", "--out", "run"], "nowhere.toml cannot be read"),
    (["train", "file", "--out", "run"], "file: "),
    (["train", "nowhere.toml"], "Missing option '--out'"),
    (["export", "nowhere"], "nowhere is not a model folder"),
    (["dataset", "rendr"], "Did you mean: rocketman dataset render"),
    (["dataset", "render", "--count", "0", "--size", "64", "--out", "data"], "--count"),
    (["dataset", "show", "nowhere"], "nowhere is not a data set"),
]


@pytest.mark.parametrize(("arguments", "sentence"), WRONG, ids=lambda value: str(value)[:60])
def test_wrong_use(
    run: Run, model_folder: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    """One sentence that says what is wrong, exit code 2, nothing on stdout, nothing left behind."""
    (tmp_path / "file").touch()
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    result = run(*(str(model_folder) if part == MODEL else part for part in arguments))
    assert result.code == 2, result
    assert result.out == ""
    *_, last = result.err.strip().splitlines()
    assert last.startswith("Error: ")
    assert result.err.count("Error") == 1
    assert sentence in last
    assert "Traceback" not in result.err
    assert {path.name for path in tmp_path.iterdir()} == {"file", "plain.png"}


@pytest.mark.parametrize("arguments", ["train run.toml --out run", "export run"])
def test_a_missing_extra_names_the_line_that_installs_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: str
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "torch"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("rocketman.train", "rocketman.model", "rocketman.flow", "rocketman.export"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run(*arguments.split())
    assert result.code == 2
    assert "Error: This needs torch: run pip install 'rocketman-diffusion[train]'." in result.err


def test_a_full_disk_keeps_what_is_made(
    run: Run, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = picture.save

    def fill(image: Image.Image, path: Path, recipe: rocketman.Recipe, **more: Any) -> Path:
        if recipe.seed == 3:
            raise OSError(28, "No space left on device", str(path))
        return save(image, path, recipe, **more)

    monkeypatch.setattr(picture, "save", fill)
    result = run(
        "generate", "a harp", "-n", "4", "--seed", "1", "--steps", "1",
        "--model", model_folder, "--json",
    )  # fmt: skip
    assert result.code == 1
    assert "No space left on device" in result.err
    made = json.loads(result.out)
    assert [entry["seed"] for entry in made] == [1, 2]
    assert all(picture.read(entry["file"]) for entry in made)


# --- in a process of its own ------------------------------------------------------------------

START = "from rocketman.cli import main; main()"


def program(code: str, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


@pytest.mark.parametrize(
    "code",
    [
        "import rocketman",
        "import sys; sys.argv = ['rocketman', '--help']; from rocketman.cli import main; main()",
        "import sys; sys.argv = ['rocketman']; from rocketman.cli import main; main()",
    ],
)
def test_no_heavy_library_before_it_is_needed(code: str) -> None:
    check = """
import atexit, sys
def look():
    heavy = {"numpy", "torch", "onnx", "onnxruntime", "PIL", "bpy"} & set(sys.modules)
    print("heavy:", sorted(heavy))
atexit.register(look)
"""
    found = subprocess.run(program(check + code), capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "heavy: []"


def test_no_network(model_folder: Path, tmp_path: Path) -> None:
    """Every use of a socket or a name server ends the process: it draws all the same."""
    deny = """
import os, sys
def deny(event, _):
    if event.startswith("socket."):
        print("network:", event, file=sys.stderr)
        os._exit(99)
sys.addaudithook(deny)
"""
    options = ("--steps", "1", "--model", model_folder, "--out", tmp_path)
    command = program(deny + START, "generate", "a harp", *options)
    home = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    home.pop("ORT_DISABLE_TELEMETRY", None)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=home)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("*.png"))) == 1
    assert not list(tmp_path.rglob("*onnxruntime*")), "onnxruntime keeps what it would tell of it"
    assert subprocess.run(program(f"{deny}import socket; socket.socket()")).returncode == 99


def test_ctrl_c_while_libraries_load() -> None:
    code = """
import sys
class Finder:
    def find_spec(name, *_):
        if name == "typer":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder)
from rocketman.__main__ import main
main()
"""
    done = subprocess.run(program(code), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")


def test_ctrl_c_keeps_what_is_made(model_folder: Path, tmp_path: Path) -> None:
    command = program(
        START, "generate", "a harp", "-n", "100000", "--steps", "1", "--seed", "1", "--json",
        "--model", model_folder, "--out", tmp_path,
    )  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("*.png"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    made = json.loads(out)
    files = {str(path) for path in tmp_path.glob("*.png")}
    assert {entry["file"] for entry in made} <= files
    assert len(files) - len(made) <= 1, "stopped between the file and its entry"
    assert all(picture.read(file) for file in files)


# --- the public API ---------------------------------------------------------------------------


def test_public_names() -> None:
    assert len(rocketman.__all__) <= 10
    assert dir(rocketman) == sorted(rocketman.__all__)
    for name in rocketman.__all__:
        assert getattr(rocketman, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        rocketman.nothing  # noqa: B018
