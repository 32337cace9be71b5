"""The lapped patches, the prompt's reading and masks, and what a configuration refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from rocketman import captions, model
from rocketman.model import DiffusionTransformer, ModelConfig
from rocketman.patches import cut_patches, join_patches, lapped_windows

SMALL = ModelConfig(
    image_size=16, patch_size=4, width=32, depth=2, heads=2, text_width=64, condition_width=32
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def network() -> DiffusionTransformer:
    """A small network whose weights are nowhere zero."""
    torch.manual_seed(0)
    made = DiffusionTransformer(SMALL).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made


def ids(*prompts: str) -> torch.Tensor:
    return torch.tensor([captions.tokens(text, captions.vocabulary()) for text in prompts])


def predict(network: DiffusionTransformer, *prompts: str, t: float = 0.3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(1, 3, 16, 16, generator=generator).expand(len(prompts), -1, -1, -1)
    with torch.no_grad():
        out: torch.Tensor = network(x, torch.full((len(prompts),), t), ids(*prompts))
    return out


@pytest.mark.parametrize(("grid", "patch"), [(1, 4), (2, 4), (8, 8), (3, 2)])
def test_windows_sum_to_one_everywhere(grid: int, patch: int) -> None:
    total = join_patches(lapped_windows(grid, patch)[None], patch)
    torch.testing.assert_close(total, torch.ones(1, 3, grid * patch, grid * patch))


def test_cut_then_windowed_join_is_the_identity() -> None:
    x = torch.randn(2, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    patches = cut_patches(x, 8)
    assert patches.shape == (2, 3, 3, 4 * 8 * 8 * 3)
    torch.testing.assert_close(join_patches(patches * lapped_windows(3, 8), 8), x)


def test_windows_are_smooth_across_patches() -> None:
    """No step at a patch's edge: a token's own share changes gently from pixel to pixel."""
    windows = torch.zeros(1, 8, 8, 4 * 8 * 8 * 3)
    windows[0, 4, 4] = lapped_windows(8, 8)[4, 4]
    share = join_patches(windows, 8)[0, 0]
    assert float(share.max()) == pytest.approx(1, abs=0.03)
    assert float(share.diff(dim=0).abs().max()) < 0.2  # sin^2 over 8 pixels rises by pi / 16
    assert float(share.diff(dim=1).abs().max()) < 0.2


def test_a_new_network_predicts_grey() -> None:
    assert not predict(DiffusionTransformer(SMALL), "a harp").any()


def test_the_prompt_and_the_timestep_matter(network: DiffusionTransformer) -> None:
    red, blue = predict(network, "a red suit", "a blue suit")
    assert (red - blue).abs().max() > 1e-3
    assert (red - predict(network, "a red suit", t=0.8)[0]).abs().max() > 1e-3


def test_the_order_of_words_matters(network: DiffusionTransformer) -> None:
    one, other = predict(
        network, "a blue suit above the red earth", "a red suit above the blue earth"
    )
    assert (one - other).abs().max() > 1e-3


def test_padding_is_invisible(network: DiffusionTransformer) -> None:
    """Another vector for PAD changes nothing: it is masked in text and image attention."""
    before = predict(network, "a harp", "")
    with torch.no_grad():
        network.words.weight[captions.PAD] += 10
    torch.testing.assert_close(predict(network, "a harp", ""), before)


def test_an_empty_prompt_works(network: DiffusionTransformer) -> None:
    assert predict(network, "").isfinite().all()


def test_rows_of_a_batch_do_not_mix(network: DiffusionTransformer) -> None:
    torch.testing.assert_close(
        predict(network, "a harp", "a drum above mars")[1:], predict(network, "a drum above mars")
    )


def test_rotation_depends_on_the_offset_alone() -> None:
    table = model.rotary_table(4, 16)
    generator = torch.Generator().manual_seed(0)
    q, k = (torch.randn(16, generator=generator).expand(1, 1, 16, 16) for _ in range(2))
    scores = (model.rotate(q, table) @ model.rotate(k, table).transpose(-1, -2))[0, 0]
    scores = scores.reshape(4, 4, 4, 4)  # query row, query column, key row, key column
    torch.testing.assert_close(scores[0, 0, 1, 2], scores[2, 1, 3, 3])
    assert (scores[0, 0, 1, 2] - scores[0, 0, 2, 1]).abs() > 1e-3


def test_a_new_refiner_weighs_the_guess_against_the_noisy_picture(
    network: DiffusionTransformer,
) -> None:
    """Far from data it leaves the guess as it is, near data it takes what it is shown."""
    torch.manual_seed(0)
    refined = DiffusionTransformer(replace(SMALL, refine_width=16)).eval()
    missing, unknown = refined.load_state_dict(network.state_dict(), strict=False)
    assert not unknown
    assert all(name.startswith("refiner.") for name in missing)
    guess = predict(network, "a harp", t=0.01)
    torch.testing.assert_close(predict(refined, "a harp", t=0.01), guess, atol=1e-3, rtol=0)
    x = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(predict(refined, "a harp", t=0.999), x, atol=0.01, rtol=0.01)


def test_a_new_self_condition_sees_no_guess_until_it_has_learnt(
    network: DiffusionTransformer,
) -> None:
    torch.manual_seed(0)
    shown = DiffusionTransformer(replace(SMALL, self_condition=True)).eval()
    missing, unknown = shown.load_state_dict(network.state_dict(), strict=False)
    assert not unknown
    assert set(missing) == {"guess_in.weight", "guess_embed.weight"}
    x, t, tokens = torch.randn(2, 3, 16, 16), torch.tensor([0.2, 0.7]), ids("a harp", "")
    guess = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(shown(x, t, tokens, guess), network(x, t, tokens))
        torch.nn.init.normal_(shown.guess_embed.weight)
        torch.testing.assert_close(shown(x, t, tokens, 0 * guess), network(x, t, tokens))
        assert (shown(x, t, tokens, guess) - network(x, t, tokens)).abs().amax() > 0.1


def test_a_refiner_corrects_a_patch_by_its_neighbourhood_and_its_token() -> None:
    """Pixels further away than the patch's own width leave it alone; token and time do not."""
    torch.manual_seed(0)
    refiner = model.Refiner(replace(SMALL, refine_width=16)).eval()
    torch.nn.init.normal_(refiner.patch_out.weight)
    torch.nn.init.normal_(refiner.modulation.weight)
    x, guess = torch.randn(2, 1, 3, 16, 16)
    z, condition, t = torch.randn(1, 16, 32), torch.randn(1, 32), torch.tensor([0.6])

    def changed(**other: torch.Tensor) -> torch.Tensor:
        given = {"x": x, "t": t, "guess": guess, "z": z, "condition": condition}
        with torch.no_grad():
            before, after = refiner(**given), refiner(**{**given, **other})
        difference: torch.Tensor = (before - after).abs().amax((0, 1))  # (H, W)
        return difference

    nearer = x.clone()
    nearer[..., 7, 7] += 1
    difference = changed(x=nearer)
    assert (difference > 0)[6:9, 6:9].all()
    assert not (difference > 0)[12:, :].any()
    assert not (difference > 0)[:, :3].any()
    token = z.clone()
    token[0, 5] += torch.randn(32)  # rows and columns 4 to 7
    difference = changed(z=token)
    assert (difference > 0)[4:8, 4:8].all()
    assert not (difference > 0)[10:, 10:].any()
    assert changed(condition=condition + 1).min() > 0


def test_the_reference_network_fits_the_size_it_may_have() -> None:
    with torch.device("meta"):
        network = DiffusionTransformer(ModelConfig())
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert 12e6 < parameters < 15e6  # two bytes each: under 30 MB


def test_the_same_code_makes_a_network_of_a_billion_parameters() -> None:
    """Shapes alone: on the meta device nothing is stored or computed."""
    large = ModelConfig(
        image_size=256,
        patch_size=16,
        width=1536,
        depth=24,
        heads=24,
        text_width=1024,
        text_depth=6,
        condition_width=512,
        refine_width=256,
        self_condition=True,
    )
    with torch.device("meta"):
        network = DiffusionTransformer(large)
        x, t = torch.empty(2, 3, 256, 256), torch.empty(2)
        tokens = torch.empty(2, large.context_length, dtype=torch.int64)
        assert network(x, t, tokens, guess=x).shape == x.shape
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert 0.9e9 < parameters < 1.1e9


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"image_size": 60}, "image_size"),
        ({"patch_size": 7, "image_size": 63}, "patch_size"),
        ({"heads": 3}, "heads"),
        ({"text_width": 100}, "text_width"),
        ({"condition_width": 33}, "condition_width"),
        ({"depth": 0}, "depth"),
    ],
)
def test_a_wrong_make_is_refused_by_name(wrong: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        ModelConfig(**wrong)
