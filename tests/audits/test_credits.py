"""Credits: gradients are the true ones, pictures find themselves, shares add up, plain words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from rocketman.audits import credits as crediting
from rocketman.audits.credits import Share, author_rows, credit_line, credits, together
from rocketman.audits.index import TrainingIndex, load_index
from rocketman.cli import app
from rocketman.data.batches import load_split, to_floats
from rocketman.weights import ModelError, embedded

torch = pytest.importorskip("torch")

from rocketman import flow, sampling  # noqa: E402
from rocketman.audits import influence as pulling  # noqa: E402
from rocketman.audits.influence import Influence, write_influence  # noqa: E402


@pytest.fixture(scope="module")
def influence(audited: Path, data: Path) -> Influence:
    write_influence(audited, data)
    return Influence(audited)


@pytest.fixture(scope="module")
def index(audited: Path) -> TrainingIndex:
    return load_index(audited)


@pytest.fixture(scope="module")
def training(data: Path) -> list[Image.Image]:
    return [Image.open(data / "train" / f"{k:04d}.png").convert("RGB") for k in range(20)]


def test_gradients_are_those_of_each_picture(influence: Influence, data: Path) -> None:
    """Against autograd on the weights themselves, one picture at a time."""
    model, network = influence.model, influence.network
    pixels = to_floats(load_split(data, "train", model.image_size).pixels[:3])
    found = pulling.projected(network, model, pixels)
    layers = pulling.layers(network)
    for picture in range(3):
        x1 = torch.from_numpy(pixels[picture : picture + 1])
        view = 0
        for number, time in enumerate(pulling.TIMES):
            weights = [layer.weight.requires_grad_(True) for layer in layers]
            noise = torch.from_numpy(sampling.noise(number, tuple(x1.shape[1:])))[None]
            t = torch.tensor([time])
            x = flow.on_path(x1, noise, t, model.noise_scale)
            ids = torch.zeros((1, network.config.context_length), dtype=torch.int64)
            loss = (network(x, t, ids) - x1).square().sum()
            for k, slope in enumerate(torch.autograd.grad(loss, weights)):
                left = pulling.projection(2 * k, slope.shape[0])
                right = pulling.projection(2 * k + 1, slope.shape[1])
                wanted = (left.T @ slope @ right).flatten().numpy()
                size = np.abs(wanted).max()
                np.testing.assert_allclose(found[picture, view], wanted, atol=1e-4 * size)
                view += 1
            for layer in layers:
                layer.weight.requires_grad_(False)


def test_training_pictures_find_themselves(
    index: TrainingIndex, influence: Influence, training: list[Image.Image]
) -> None:
    found = credits(training, index, influence)
    assert all(each.similar.pictures[0].row == k for k, each in enumerate(found))
    first = [each.influential.pictures[0].row for each in found if each.influential]
    assert np.mean([row == k for k, row in enumerate(first)]) >= 0.9


def test_shares_add_up_and_lie_in_their_intervals(
    index: TrainingIndex, influence: Influence, fresh: list[Image.Image]
) -> None:
    for each in credits(fresh[:4], index, influence):
        assert each.influential is not None
        for half in (each.similar, each.influential):
            assert sum(share.share for share in half.shares.values()) == pytest.approx(1)
            assert {author for author, _ in half.shares} <= {"A", "B"}
            for share in half.shares.values():
                assert 0 <= share.low <= share.share <= share.high <= 1
            scores = [one.score for one in half.pictures]
            assert scores == sorted(scores, reverse=True)
            assert all(one.low <= one.score <= one.high for one in half.pictures)


def test_the_share_of_an_author_is_that_of_their_pictures_among_the_top() -> None:
    scores = np.zeros((1, 100), np.float32)
    scores[0, :3] = 4, 4, 8  # of authors 0, 0 and 1; the others stand out by nothing
    place = np.array([0, 0, 1] + [2] * 97)
    [found] = crediting.share_of(scores, place, 3)
    assert found == pytest.approx([0.2, 0.8, 0.0], abs=0.01), "4^3 + 4^3 to 8^3"


def test_all_alike_shares_alike() -> None:
    assert crediting.share_of(np.ones((1, 6), np.float32), np.arange(6) % 3, 3)[0] == pytest.approx(
        [1 / 3] * 3
    )


def test_the_credit_line() -> None:
    shares = {
        ("A", "one"): Share(share=0.5, low=0.4, high=0.6),
        ("A", "two"): Share(share=0.2, low=0.1, high=0.3),
        ("", "three"): Share(share=0.3, low=0.2, high=0.4),
    }
    line = credit_line(list(shares), 30, shares)
    assert line == (
        "Training pictures that count most: A 70 %, an author whom the data set does not name 30 %."
    )
    assert crediting.stands_out(shares), "0.5 to 0.9 lies above 0.2 to 0.4"
    shares["", "three"] = Share(share=0.3, low=0.2, high=0.6)
    assert not crediting.stands_out(shares)
    line = credit_line(list(shares), 30, shares, clear=False)
    assert line.startswith("Training pictures that count most (none stands out clearly): A 70 %")
    alone = {("The Rocketman authors", "x"): Share(share=1, low=1, high=1)}
    line = credit_line(list(alone), 2655, alone)
    assert line == "Training pictures: 2,655, all by The Rocketman authors."


def test_several_pictures_together() -> None:
    whole, half = Share(share=1, low=0.8, high=1), Share(share=0.5, low=0.25, high=0.75)
    found = together([{("A", ""): whole}, {("A", ""): half, ("B", ""): half}])
    assert list(found) == [("A", ""), ("B", "")]
    assert found["B", ""] == Share(share=0.25, low=0.125, high=0.375)
    [first, second] = author_rows(found, None)
    assert (first["author"], first["similar_share"], first["influence_share"]) == ("A", 0.75, None)
    assert (second["low"], second["high"]) == (0.125, 0.375)


def test_without_gradients_or_torch(
    audited: Path, index: TrainingIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    folder = shutil.copytree(audited, tmp_path / "model")
    for name in (pulling.GRADIENTS, pulling.FRAME):
        (folder / "training" / name).unlink(missing_ok=True)
    found, why = crediting.load_influence(folder)
    assert found is None
    assert "audit index" in why
    monkeypatch.setattr(crediting, "find_spec", lambda name: None)
    found, why = crediting.load_influence(audited)
    assert found is None
    assert "pip install 'rocketman-diffusion[train]'" in why
    [each] = credits([Image.new("RGB", (64, 64))], index)
    assert each.influential is None
    assert each.authors[0]["influence_share"] is None


def test_likeness_needs_no_torch() -> None:
    code = "import sys, rocketman.audits.credits, rocketman.collection.report as r; print(r.FOLDER)"
    code += "; assert 'torch' not in sys.modules"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "report\n"), ran.stderr


def test_gradients_of_other_weights_are_refused(
    influence: Influence, audited: Path, tmp_path: Path
) -> None:
    import shutil

    folder = shutil.copytree(audited, tmp_path / "model")
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    with pytest.raises(ModelError, match="audit index"):
        Influence(folder)


def test_gradients_of_other_pictures_are_refused(
    influence: Influence, audited: Path, tmp_path: Path
) -> None:
    import shutil

    folder = shutil.copytree(audited, tmp_path / "model")
    Influence(folder)
    table = json.loads((folder / "training" / "index.json").read_text())
    for changed in ({"data_hash": "0" * 64}, {"pictures": 181}):
        other = {**table, "record": {**table["record"], **changed}}
        (folder / "training" / "index.json").write_text(json.dumps(other))
        with pytest.raises(ModelError, match="audit index"):
            Influence(folder)


def test_what_ships_keeps_the_gradients_of_its_index() -> None:
    assert Influence(embedded()).gradients.shape == (len(load_index()), 15, pulling.DIMENSIONS)


def test_the_index_command_keeps_gradients(audited: Path, data: Path, tmp_path: Path) -> None:
    import shutil

    folder = shutil.copytree(audited, tmp_path / "model")
    shutil.rmtree(folder / "training")
    result = CliRunner().invoke(app, ["audit", "index", str(folder), "--data", str(data)])
    assert result.exit_code == 0, result.output
    kept = Influence(folder).gradients
    assert kept.shape == (len(load_index(folder)), 9, pulling.DIMENSIONS), "3 times, 3 layers"
    for view in kept.transpose(1, 0, 2):
        spread = np.linalg.eigvalsh(view.T @ view / len(view))
        assert spread.max() < 1.05, "whitened: no direction counts for much more than another"


def test_four_bits_are_enough() -> None:
    found = np.random.default_rng(0).standard_normal((50, 2, 36)).astype(np.float32)
    codes, scale = pulling.coded(found)
    again = pulling.uncoded(codes, scale)
    assert codes.dtype == np.uint8
    assert codes.shape == (50, 2, 18)
    assert (np.abs(again - found) <= 0.51 * scale[:, :, None].astype(np.float32)).all()
    asked = np.random.default_rng(1).standard_normal((36,)).astype(np.float32)
    exact, kept = found @ asked, again @ asked
    assert np.corrcoef(exact.ravel(), kept.ravel())[0, 1] > 0.99


def test_the_command_credits(
    influence: Influence, audited: Path, fresh: list[Image.Image], tmp_path: Path
) -> None:
    fresh[0].save(tmp_path / "new.png")
    arguments = ["audit", "picture", str(tmp_path / "new.png"), "--model", str(audited)]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    [found] = json.loads(result.stdout)
    assert {row["author"] for row in found["credits"]} <= {"A", "B"}
    assert len(found["similar"]) == len(found["influential"]) == crediting.LISTED
    assert [party["part"] for party in found["parties"]] == [
        "made the training pictures",
        "trained the model",
        "wrote the prompt",
        "chose the picture",
    ]
    assert found["parties"][2]["who"] == "not told by the file"
    assert found["remark"].startswith("Nothing in it says that the model")
    text = CliRunner().invoke(app, arguments).stdout
    assert found["remark"] in text
    assert "similar" in text
    assert "influential" in text
    assert "owe" not in text


def test_a_picture_of_another_model_is_told_from_ones_own(
    audited: Path, index: TrainingIndex, tmp_path: Path
) -> None:
    import rocketman

    [drawn] = rocketman.load(audited)("a harp", seed=1, num_inference_steps=1)
    own = drawn.save(tmp_path / "own.png")
    assert crediting.parties_of(own, index)[1] == ""
    _, sentence = crediting.parties_of(own, load_index())
    recipe = drawn.recipe
    said = f"made by the model {recipe.model} ({recipe.model_hash}), not by astronauts"
    assert said in sentence
