"""The second stage: learns, and runs the same outside torch."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from rocketman import load, sampling  # noqa: E402
from rocketman.captions import tokens  # noqa: E402
from rocketman.data.batches import load_split, to_floats  # noqa: E402
from rocketman.detail import (  # noqa: E402
    as_drawn,
    crops,
    judgement,
    main,
    redrawn,
    train_detail,
)
from rocketman.detail_network import (  # noqa: E402
    Critic,
    DetailNetwork,
    enlarged,
    write_detail,
)
from rocketman.painter import Painter, Tokens  # noqa: E402
from rocketman.request import DEFAULT_GUIDANCE_SCALE  # noqa: E402
from rocketman.weights import CARD, DETAIL, open_model, sha256  # noqa: E402

PROMPT = "an astronaut above mars"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def discs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set of sharp discs, 64 pixels wide."""
    monkeypatch.setenv("ROCKETMAN_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for split, count in (("train", 24), ("validation", 8)):
        folder = tmp_path / "discs" / split
        folder.mkdir(parents=True)
        rows = []
        for k in range(count):
            picture = Image.new("RGB", (64, 64), tuple(rng.integers(0, 255, 3).tolist()))
            for x, y in rng.integers(0, 50, (6, 2)).tolist():
                colour = tuple(rng.integers(0, 255, 3).tolist())
                ImageDraw.Draw(picture).ellipse((x, y, x + 14, y + 14), fill=colour)
            picture.save(folder / f"{k}.png")
            rows.append(json.dumps({"file_name": f"{k}.png", "text": "discs"}) + "\n")
        (folder / "metadata.jsonl").write_text("".join(rows))
    return tmp_path / "discs"


def test_crops_match() -> None:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (3, 40, 40, 3), dtype=np.uint8)
    large = small.repeat(4, axis=1).repeat(4, axis=2)
    x, target = crops(small, large, rng)
    assert torch.equal(x.repeat_interleave(4, -1).repeat_interleave(4, -2), target)


def test_it_learns_what_enlarging_loses() -> None:
    """Two pictures by heart."""
    torch.manual_seed(0)
    network = DetailNetwork()
    large = torch.nn.functional.avg_pool2d(torch.rand(2, 3, 64, 64) * 2 - 1, 5, 1, 2) * 2
    small = torch.nn.functional.avg_pool2d(large, 4)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    errors = []
    for _ in range(80):
        error = (network(small) - large).abs().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert errors[-1] < 0.8 * errors[0]


def test_the_critic_asks_for_edges(
    discs: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sharper than the same steps without it. It pulls harder here than when it has thousands."""
    monkeypatch.setattr("rocketman.detail.CRITIC", 2.0)
    sharpness = []
    for warm in (1.0, 0.0):
        monkeypatch.setattr("rocketman.detail.WARM", warm)
        _, _, sharp, soft = figures_of(discs, model_folder, 120)
        sharpness.append(sharp)
    without, judged = sharpness
    assert judged > without + 0.03
    assert judged > soft + 0.05


def test_the_critic_learns_to_tell_and_is_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Soft pictures moved by the same length: it likes those better that it had a say in."""
    torch.manual_seed(0)
    sharp = torch.nn.functional.avg_pool2d(torch.rand(4, 3, 64, 64) * 2 - 1, 3, 1, 1) * 2
    soft = enlarged(torch.nn.functional.avg_pool2d(sharp, 4))
    critic = Critic()
    optimizer = torch.optim.AdamW(critic.parameters(), lr=1e-3)
    margins = []
    for _ in range(30):
        _, loss, margin = judgement(critic, soft, sharp, soft, np.random.default_rng(0))
        optimizer.zero_grad()
        loss.backward(inputs=list(critic.parameters()))  # type: ignore[no-untyped-call]
        optimizer.step()
        margins.append(margin)
    assert margins[-1] > margins[0] + 1
    left = {}
    for share in (0.0, 0.5):
        monkeypatch.setattr("rocketman.detail.CRITIC", share)
        drawn = soft.clone().requires_grad_()
        judged, _, _ = judgement(critic, drawn, sharp, soft, np.random.default_rng(0))
        [gradient] = torch.autograd.grad(judged, drawn)
        moved = soft - gradient / gradient.norm()
        left[share] = judgement(critic, moved, sharp, soft, np.random.default_rng(0))[2]
    assert left[0.5] < left[0.0] < margins[-1] + 0.01


def figures_of(discs: Path, model: Path, steps: int) -> tuple[float, ...]:
    """PSNR of the network and of bicubic enlargement, then their sharpness."""
    lines: list[str] = []
    train_detail(discs, model, steps, lines.append)
    figures = re.search(
        r"PSNR ([\d.]+) dB \(bicubic ([\d.]+) dB\).*sharpness ([\d.]+) \(bicubic ([\d.]+)\)",
        lines[-1],
    )
    assert figures, lines
    return tuple(map(float, figures.groups()))


def test_redrawn_pictures_are_what_the_network_sees_in_them(
    discs: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that knows the pictures gives them back, by their captions and guided."""
    model = open_model(model_folder)
    pictures = load_split(discs, "train", model.image_size)
    known = to_floats(np.asarray(pictures.pixels[:16]))
    asked: list[object] = []

    def knowing(_: Painter, ends: list[Tokens], unwanted: Tokens, scale: float) -> sampling.Denoise:
        asked.append((ends[0].tolist(), bool(unwanted.any()), scale))
        return lambda x, t: known

    with monkeypatch.context() as patch:
        patch.setattr(Painter, "guided", knowing)
        assert np.array_equal(redrawn(model, pictures, slice(16)), pictures.pixels[:16])
    ids = [tokens(text, model.vocabulary) for text in pictures.full_captions[:16]]
    assert asked == [(ids, False, DEFAULT_GUIDANCE_SCALE)]

    again = redrawn(model, pictures, slice(None))
    assert again.shape == pictures.pixels.shape
    assert np.array_equal(again, redrawn(model, pictures, slice(None)))
    assert not np.array_equal(again, pictures.pixels)
    assert redrawn(model, pictures, slice(0, None, 2)).shape == pictures.pixels[::2].shape


def test_what_it_cannot_learn_from_is_one_sentence(
    discs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["detail", str(discs), str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "no such folder" in capsys.readouterr().err


def test_a_full_disk_is_one_sentence(
    discs: Path,
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("sys.argv", ["detail", str(discs), str(model_folder), "--steps", "1"])
    monkeypatch.setattr("rocketman.detail_network.write_whole", full)
    with pytest.raises(SystemExit, match="1"):
        main()
    assert "No space left on device; the model is as it was.\n" in capsys.readouterr().err
    assert not (model_folder / DETAIL).exists()


def test_without_held_out_pictures_nothing_is_redrawn(
    discs: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(discs / "validation")
    monkeypatch.setattr("rocketman.detail.redrawn", lambda *_: pytest.fail("redrawn"))
    with pytest.raises(ValueError, match="validation"):
        train_detail(discs, model_folder, 1)


def test_an_untrained_one_is_plain_enlargement() -> None:
    x = torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        larger = DetailNetwork()(x)
    assert larger.shape == (2, 3, 32, 32)
    assert torch.allclose(larger, enlarged(x), atol=0.2)


def test_the_engine_draws_what_torch_draws(model_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "two-stages"
    shutil.copytree(model_folder, folder)
    torch.manual_seed(0)
    network = DetailNetwork()
    torch.nn.init.normal_(network.last.weight, std=0.05)
    write_detail(network.eval(), folder)
    plain, staged = load(model_folder), load(folder)
    assert plain.model.hash != staged.model.hash
    assert sha256(folder / DETAIL) in (folder / CARD).read_text()

    [small] = staged(PROMPT, seed=1, num_inference_steps=2, size=16)
    [large] = staged(PROMPT, seed=1, num_inference_steps=2, size=64)
    [other] = plain(PROMPT, seed=1, num_inference_steps=2, size=64)
    assert large.image != other.image
    x = torch.from_numpy(np.asarray(small.image, dtype=np.float32) / 127.5 - 1)
    x = x.permute(2, 0, 1)[None]
    wanted = as_drawn(network, x)[0].permute(1, 2, 0).clamp(-1, 1)
    got = np.asarray(large.image, dtype=np.float32) / 127.5 - 1
    assert np.abs(got - wanted.numpy()).max() < 0.03  # the small picture was rounded to 8 bits
