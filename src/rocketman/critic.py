"""A critic that learns beside a training network, and tells its clean pictures from real ones.

Where a network cannot know, squared errors make it draw the mean of what may be: two necks for one
guitar, a haze for a flute. A critic asks for one of them (Goodfellow et al. 2014). It is shown the
noisy picture and two clean ones that may belong to it, the real and the drawn, and learns to find
the real one more likely (the relativistic pairs of Jolicoeur-Martineau 2018), by the pixels and by
the features of the run's own `Perception` (Sauer et al. 2021, Projected GAN); and by how well
these go with the caption (the projection of Miyato and Koyama 2018). A sampler that draws
noise anew after each step goes through such pictures one after the other, as in Xiao et al. 2022,
"Tackling the generative learning trilemma with denoising diffusion GANs".

Level 5. Reads pictures of a batch, changes its own weights and nothing on disk. Next: `train.py`
adds what `Judge` says to the velocity loss.

Shapes: B pictures, C channels, H height and width, L tokens of a prompt; pictures in [-1, 1].
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from torch import Tensor, nn

from rocketman.captions import PAD
from rocketman.parallel import Workers
from rocketman.perception import LAYERS, Perception

WIDTHS = (6, 48, 96, 128)
"""Channels of the pixel layers; each halves height and width."""
FEATURE_WIDTH = 64
PIXEL_GAIN, FEATURE_GAIN, CAPTION_GAIN = 2.0, 8.0, 2.0
"""Of the verdicts: under spectral norms they hardly leave 0, and a softplus would not see them."""
LEARNING_RATE, BETAS = 1e-3, (0.5, 0.99)
ALONE, RISE = 60, 30
"""Steps in which the critic learns before it counts, and over which it comes to count in full."""
LARGEST_SHIFT = 3
"""Pixels that both pictures are moved by at random, so that no phase of the critic's strides is
better known to it than another."""
SMALLEST = 1e-12


class Critic(nn.Module):
    """Maps of verdicts, higher where a picture looks real: one by pixels, one a layer of features,
    and one of what the coarsest features have to do with the words of the caption.

    Spectral norms keep it gentle (Miyato et al. 2018). What it sees is blurred a little: it would
    else ask for a chequerboard, which strides of two cannot tell from edges (docs/log.md,
    2026-11-29, A critic of the clean picture).
    """

    blur: Tensor

    def __init__(self, vocabulary_size: int) -> None:
        super().__init__()
        normed = nn.utils.spectral_norm
        pixels = [nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(WIDTHS)]
        pixels += [nn.Conv2d(WIDTHS[-1], WIDTHS[-1], 3, padding=1)]
        pixels += [nn.Conv2d(WIDTHS[-1], 1, 3, padding=1)]
        self.pixels = nn.ModuleList(normed(layer) for layer in pixels)
        self.heads = nn.ModuleList(
            nn.Sequential(
                normed(nn.Conv2d(channels, FEATURE_WIDTH, 1)),
                nn.LeakyReLU(0.2),
                normed(nn.Conv2d(FEATURE_WIDTH, 1, 3, padding=1)),
            )
            for channels, _ in LAYERS[1:]
        )
        self.words = nn.Embedding(vocabulary_size + 1, FEATURE_WIDTH, padding_idx=PAD)
        self.seen = normed(nn.Conv2d(LAYERS[-1][0], FEATURE_WIDTH, 1))
        line = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("blur", (line[:, None] * line).expand(3, 1, 3, 3).clone())

    def forward(
        self, x: Tensor, noisy: Tensor, tokens: Tensor, perception: Perception
    ) -> list[Tensor]:
        """x and the noisy picture it is said to belong to, both (B, 3, H, H), and tokens (B, L) of
        its caption -> maps (B, 1, h, h) of several sizes."""
        x = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), self.blur, groups=3)
        h = torch.cat([x, noisy], dim=1).contiguous(memory_format=torch.channels_last)
        for layer in self.pixels[:-1]:
            h = F.leaky_relu(layer(h), 0.2)
        maps = [PIXEL_GAIN * self.pixels[-1](h).float()]
        features = [
            F.layer_norm(each.movedim(1, -1), each.shape[1:2]).movedim(-1, 1)
            for each in perception.features(x)[1:]
        ]
        for head, each in zip(self.heads, features, strict=True):
            maps.append(FEATURE_GAIN * head(each).float())
        said = F.normalize(self.words(tokens).sum(dim=1), dim=-1)  # 0 without a caption
        fits = (self.seen(features[-1]).float() * said[:, :, None, None]).sum(dim=1, keepdim=True)
        return [*maps, CAPTION_GAIN * fits]


def critic_optimizer(critic: Critic) -> torch.optim.Optimizer:
    """Adam with little memory, since what the critic has to tell apart keeps changing."""
    return torch.optim.AdamW(
        critic.parameters(), lr=LEARNING_RATE, betas=BETAS, weight_decay=0.0, fused=True
    )


def doubted(better: list[Tensor], worse: list[Tensor]) -> Tensor:
    """(B,), above 0: how little the verdicts on the first lie above those on the second."""
    apart = [F.softplus(b - a).mean(dim=(1, 2, 3)) for a, b in zip(better, worse, strict=True)]
    return torch.stack(apart).mean(dim=0)


class Judge:
    """What counts of a clean picture beside its pixels: how it looks, and what a critic says."""

    def __init__(
        self,
        perception: Perception,
        weight: float,
        critic: tuple[nn.Module, torch.optim.Optimizer] | None = None,
        critic_weight: float = 0.0,
        generator: torch.Generator | None = None,
        workers: Workers = Workers(),  # noqa: B008  (frozen)
    ) -> None:
        """weight: of the perceptual distance. critic_weight: how hard the critic pulls at the
        pictures of a batch, as a share of how hard that distance does."""
        self.perception, self.weight = perception, weight
        self.critic, self.critic_weight = critic, critic_weight
        self.generator, self.workers = generator, workers
        self.shown: tuple[Tensor, Tensor, Tensor, Tensor] | None = None

    def __call__(
        self, drawn: Tensor, real: Tensor, noisy: Tensor, tokens: Tensor, step: int
    ) -> Tensor:
        """(B,): what is added to the loss. The critic adds to its gradient alone: its verdicts are
        no measure of anything, since it changes all the time."""
        if self.critic is None:
            return self.weight * self.perception.distance(drawn, real)
        self.shown = (drawn.detach(), real, noisy, tokens)
        leaf = drawn.detach().requires_grad_()
        unlike = self.weight * self.perception.distance(leaf, real)
        [gradient] = torch.autograd.grad(unlike.sum(), leaf)
        share = self.critic_weight * min(1.0, max(0.0, (step - ALONE) / RISE))
        if share:
            critic, _ = self.critic
            x, true, beside = self._shifted(leaf, real, noisy)
            with torch.no_grad():
                wanted = critic(true, beside, tokens, self.perception)
            against = doubted(critic(x, beside, tokens, self.perception), wanted)
            [pull] = torch.autograd.grad(against.sum(), leaf)
            # as strong as the other, whatever the critic's scale (Esser et al. 2021, VQGAN, 7)
            both = torch.stack([gradient.square().sum(), pull.square().sum()])
            self.workers.sum([both])
            gradient = gradient + share * (both[0] / both[1].clamp_min(SMALLEST)).sqrt() * pull
        at_drawn = ((drawn - drawn.detach()) * gradient).sum(dim=(1, 2, 3))  # its value is 0
        return unlike.detach() + at_drawn

    def learn(self, batch: int) -> None:
        """A step of the critic, if there is one, on what was judged last; `batch` pictures of which
        this process may have seen a part. No step if its gradient is not finite."""
        if self.critic is None or self.shown is None:
            return
        critic, optimizer = self.critic
        *pictures, tokens = self.shown
        drawn, real, noisy = self._shifted(*pictures)
        verdicts = (critic(x, noisy, tokens, self.perception) for x in (real, drawn))
        optimizer.zero_grad()
        (doubted(*verdicts).sum() / batch).backward()  # type: ignore[no-untyped-call]
        gradients = [p.grad for p in critic.parameters() if p.grad is not None]
        self.workers.sum(gradients)
        if torch.stack([each.isfinite().all() for each in gradients]).all():
            optimizer.step()
        self.shown = None

    def _shifted(self, *pictures: Tensor) -> tuple[Tensor, ...]:
        """All moved alike, around the edge; the same in every process."""
        by = torch.randint(LARGEST_SHIFT + 1, (2,), generator=self.generator).tolist()
        return tuple(torch.roll(x, by, (2, 3)) for x in pictures)
