"""The network: a diffusion transformer in pixel space that predicts the clean picture.

Reads a noisy picture, its timestep and a prompt's tokens; returns its guess of the clean picture.
No autoencoder and no pretrained text encoder: everything here is learned from captioned pictures.
Clean-image prediction and the block's make follow Li and He 2025 ("Back to Basics: Let Denoising
Generative Models Denoise", JiT). The time convention is in `sampling.py`. Next: `flow.py` gives
the loss, `train.py` the loop, `export.py` the ONNX file that runs without torch.

Shapes:
    B batch             C channels, 3        H W picture height and width
    P patch_size        G = H / P patches a side     T = G * G image tokens
    D width             N heads              K = D / N head width
    F refine_width      p = P / 2 patch of the refiner       g = 2 G fine patches a side
    L context_length    S = L + 1 text tokens (one always present)     E text_width
    M condition_width   V words in the vocabulary
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from torch import Tensor, nn

from rocketman.captions import CONTEXT_LENGTH, PAD, vocabulary
from rocketman.patches import cut_patches, join_patches, lapped_windows, parts, sizes

MASKED = -1e4
"""Added to the attention score of a padding token: exp() of it is 0, also in half precision."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The make of a network. Two equal configurations give networks that can swap weights."""

    image_size: int = 64
    """Width and height of a picture in pixels; a multiple of patch_size."""
    patch_size: int = 8
    """Stride of the patches in pixels; each is 2 * patch_size wide and overlaps its neighbours."""
    width: int = 320
    """Features of an image token; a multiple of heads."""
    depth: int = 8
    """Transformer blocks over the image tokens."""
    heads: int = 5
    """Attention heads of an image block; width / heads must be a multiple of 4 (2-D rotation)."""
    text_width: int = 192
    """Features of a text token; a multiple of 64, the head width of the text blocks."""
    text_depth: int = 2
    """Transformer blocks over the text tokens."""
    condition_width: int = 128
    """Features of the timestep-and-prompt vector that modulates every block; even."""
    bottleneck: int = 128
    """Rank of the patch embedding (JiT, section 4.2)."""
    refine_width: int = 0
    """Features of a fine token of the refiner; 0: no refiner."""
    self_condition: bool = False
    """Whether the network may be shown, beside the noisy picture, its own earlier guess of the
    clean one (Chen et al. 2023, "Analog bits")."""
    vocabulary_size: int = len(vocabulary())
    """Words that have a row in the table, PAD not counted."""
    context_length: int = CONTEXT_LENGTH
    """Tokens in a prompt, padding included."""

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            least = 0 if name in ("refine_width", "self_condition") else 1
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        even = 4 if self.refine_width else 2
        if self.patch_size % even:
            raise ValueError(f"patch_size must be a multiple of {even}, got {self.patch_size}")
        if self.image_size % self.patch_size:
            raise ValueError(
                f"image_size {self.image_size} is not a multiple of patch_size {self.patch_size}"
            )
        if self.width % self.heads or (self.width // self.heads) % 4:
            raise ValueError(
                f"width {self.width} / heads {self.heads} must be a whole multiple of 4"
            )
        if self.condition_width % 2:
            raise ValueError(f"condition_width must be even, got {self.condition_width}")
        if self.text_width % TEXT_HEAD_WIDTH:
            raise ValueError(
                f"text_width must be a multiple of {TEXT_HEAD_WIDTH}, got {self.text_width}"
            )


READS = ("words.", "word_positions", "always", "text_blocks.", "norm_text.", "text_condition.")
"""How the names of the parameters begin that read a prompt; each block's `text_kv` does too."""
TEXT_HEAD_WIDTH = 64
REFINE_DEPTH = 2
GUESS_ERROR = 0.15
"""Error of the transformer's guess in units of the noise at t = 0: the refiner's scale."""


def reads_prompt(name: str) -> bool:
    """Whether a parameter of this name has to do with what a prompt means, not with pictures."""
    return name.startswith(READS) or ".text_kv." in name


class Norm(nn.Module):
    """Layer normalisation over the last axis with a scale and no shift.

    JiT has RMSNorm here; this has a fused kernel on processors, in torch and in onnxruntime, and
    a training step took 11 % less time with it (one thread, batch 8).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.scale.shape, self.scale)


class SwiGLU(nn.Module):
    """out(silu(gate x) * up x) (Shazeer 2020), hidden width about 8/3 of width in steps of 64."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = max(64, round(width * 8 / 3 / 64) * 64)
        self.gate_and_up = nn.Linear(width, 2 * hidden, bias=False)
        self.out = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = parts(self.gate_and_up(x), 2)
        out: Tensor = self.out(F.silu(gate) * up)
        return out


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, tokens, N * K) -> (B, N, tokens, K)."""
    tokens, width = sizes(x)
    return x.reshape(-1, tokens, heads, width // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, N, tokens, K) -> (B, tokens, N * K)."""
    heads, tokens, width = sizes(x)
    return x.transpose(1, 2).reshape(-1, tokens, heads * width)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(K) + mask) v; (B, N, ..., K) -> (B, queries, N * K).

    Written out: with so few tokens torch's fused attention is slower on processors, mostly in its
    gradient (20 % of a training step).
    """
    scores = (q * sizes(q)[-1] ** -0.5) @ k.transpose(-1, -2) + mask
    return merge_heads(scores.softmax(dim=-1).to(v.dtype) @ v)


class TextBlock(nn.Module):
    """A plain pre-norm transformer block over the text tokens; padding is masked."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // TEXT_HEAD_WIDTH
        self.norm_attention, self.norm_mlp = Norm(width), Norm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.mlp = SwiGLU(width)

    def forward(self, y: Tensor, mask: Tensor) -> Tensor:
        """y (B, S, E), mask (B, 1, 1, S) added to the scores -> (B, S, E)."""
        q, k, v = (split_heads(z, self.heads) for z in parts(self.qkv(self.norm_attention(y)), 3))
        y = y + self.out(attend(q, k, v, mask))
        mlp: Tensor = self.mlp(self.norm_mlp(y))
        return y + mlp


class ImageBlock(nn.Module):
    """Attention of image tokens over image and text tokens, then SwiGLU; adaLN-Zero around both.

    adaLN-Zero (Peebles and Xie 2023): the condition gives shift, scale and gate of each half; the
    gates start at zero, so that a new block passes its input on unchanged.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        D, self.heads = config.width, config.heads
        self.norm_attention, self.norm_mlp = Norm(D), Norm(D)
        self.qkv = nn.Linear(D, 3 * D, bias=False)
        self.text_kv = nn.Linear(config.text_width, 2 * D, bias=False)
        self.norm_q, self.norm_k = Norm(D // self.heads), Norm(D // self.heads)
        self.out = nn.Linear(D, D, bias=False)
        self.mlp = SwiGLU(D)
        self.modulation = nn.Linear(config.condition_width, 6 * D)

    def forward(
        self, x: Tensor, text: Tensor, condition: Tensor, mask: Tensor, rotation: Tensor
    ) -> Tensor:
        """x (B, T, D), text (B, S, E), condition (B, M), mask (B, 1, 1, T + S) -> (B, T, D)."""
        modulation = self.modulation(condition).float()[:, None]  # (B, 1, 6 D)
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = parts(modulation, 6)

        z = torch.addcmul(shift_a, self.norm_attention(x), 1 + scale_a)
        q, k, v = (split_heads(part, self.heads) for part in parts(self.qkv(z), 3))
        text_k, text_v = (split_heads(part, self.heads) for part in parts(self.text_kv(text), 2))
        q = rotate(self.norm_q(q), rotation).to(v.dtype)  # (B, N, T, K)
        k = torch.cat([rotate(self.norm_k(k), rotation).to(v.dtype), self.norm_k(text_k)], dim=2)
        v = torch.cat([v, text_v], dim=2)  # (B, N, T + S, K)
        x = torch.addcmul(x, gate_a, self.out(attend(q, k, v, mask)).float())

        z = torch.addcmul(shift_m, self.norm_mlp(x), 1 + scale_m)
        return torch.addcmul(x, gate_m, self.mlp(z).float())


def rotary_table(grid: int, head_width: int) -> Tensor:
    """(2, T, K): cosines and sines of 2-D rotary positions (Su et al. 2021).

    Half of a head turns with the row, half with the column, at 1 down to 1/100 rad a token: the
    grid is a few tokens wide.
    """
    quarter = head_width // 4
    frequencies = 100.0 ** -(torch.arange(quarter) / quarter)
    angles = torch.arange(grid)[:, None] * frequencies  # (G, K/4)
    rows = angles[:, None, :].expand(grid, grid, quarter)
    columns = angles[None, :, :].expand(grid, grid, quarter)
    half = torch.cat([rows, columns], dim=-1).reshape(grid * grid, 2 * quarter)
    both = torch.cat([half, half], dim=-1)
    return torch.stack([both.cos(), both.sin()])


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Turn each pair (x_k, x_{k + K/2}) by its angle; x (B, N, T, K), table (2, T, K)."""
    first, second = parts(x, 2)
    return x * table[0] + torch.cat([-second, first], dim=-1) * table[1]


class Refiner(nn.Module):
    """Looks again, closely: the noisy picture beside the transformer's guess, in small patches.

    A token of width D cannot hold all that its patch shows, so the transformer's guess is soft
    however little noise there is (docs/log.md, 2026-11-25). Here every p x p patch is corrected by
    a few layers that see 2p x 2p pixels of both pictures, and what its token knows: local work,
    matrix products only. (The idea of a patch detailer: Chen et al. 2025, DiP.)
    """

    windows: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        D, F_, self.patch = config.width, config.refine_width, config.patch_size // 2
        values = 4 * self.patch * self.patch * 3
        self.patch_in = nn.Linear(2 * values, F_)
        self.norm_context = Norm(D)
        self.context = nn.Linear(D, 4 * F_, bias=False)
        self.modulation = nn.Linear(config.condition_width, REFINE_DEPTH * 2 * F_)
        self.norms = nn.ModuleList(Norm(F_) for _ in range(REFINE_DEPTH))
        self.blocks = nn.ModuleList(SwiGLU(F_) for _ in range(REFINE_DEPTH))
        self.norm_out = Norm(F_)
        self.patch_out = nn.Linear(F_, values)
        windows = lapped_windows(config.image_size // self.patch, self.patch)
        self.register_buffer("windows", windows, persistent=False)

    def forward(self, x: Tensor, t: Tensor, guess: Tensor, z: Tensor, condition: Tensor) -> Tensor:
        """x, guess (B, 3, H, W), t (B,), z (B, T, D), condition (B, M) -> a better guess."""
        t = t[:, None, None, None]
        spread = ((1 - t).square() + (GUESS_ERROR * t).square()).sqrt()
        rest = (x - t * guess) / spread  # noise, and what the guess missed
        pair = [cut_patches(picture, self.patch) for picture in (rest, guess)]
        fine = self.patch_in(torch.cat(pair, dim=-1)).float()  # (B, g, g, F)
        g, _, F_ = sizes(fine)
        context = self.context(self.norm_context(z)).float()  # (B, T, 4 F)
        context = context.reshape(-1, g // 2, g // 2, 2, 2, F_).transpose(2, 3)
        context = context.reshape(-1, g, g, F_)
        h = fine + context
        modulation = parts(self.modulation(condition).float()[:, None, None], 2 * REFINE_DEPTH)
        for k, (norm, block) in enumerate(zip(self.norms, self.blocks, strict=True)):
            h = h + block(torch.addcmul(modulation[2 * k], norm(h), 1 + modulation[2 * k + 1]))
        change = join_patches(self.patch_out(self.norm_out(h)).float() * self.windows, self.patch)
        return guess + GUESS_ERROR / spread * (GUESS_ERROR * t * rest + (1 - t) * change)


class DiffusionTransformer(nn.Module):
    """x_t, t, tokens -> clean picture."""

    rotation: Tensor
    windows: Tensor
    frequencies: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        D, E, M, P = config.width, config.text_width, config.condition_width, config.patch_size
        grid = config.image_size // P
        patch_values = 4 * P * P * 3

        self.words = nn.Embedding(config.vocabulary_size + 1, E)  # row PAD is masked everywhere
        self.word_positions = nn.Parameter(torch.empty(config.context_length, E))
        self.always = nn.Parameter(torch.empty(1, 1, E))  # the one token of an empty prompt
        self.text_blocks = nn.ModuleList(TextBlock(E) for _ in range(config.text_depth))
        self.norm_text = Norm(E)

        self.time_in, self.time_out = nn.Linear(M, M), nn.Linear(M, M)
        self.text_condition = nn.Linear(E, M, bias=False)

        self.patch_in = nn.Linear(patch_values, config.bottleneck, bias=False)
        self.patch_embed = nn.Linear(config.bottleneck, D)
        if config.self_condition:
            self.guess_in = nn.Linear(patch_values, config.bottleneck, bias=False)
            self.guess_embed = nn.Linear(config.bottleneck, D, bias=False)
        self.blocks = nn.ModuleList(ImageBlock(config) for _ in range(config.depth))
        self.norm_out = Norm(D)
        self.modulation_out = nn.Linear(M, 2 * D)
        self.patch_out = nn.Linear(D, patch_values)
        self.refiner = Refiner(config) if config.refine_width else None

        self.register_buffer("rotation", rotary_table(grid, D // config.heads), persistent=False)
        self.register_buffer("windows", lapped_windows(grid, P), persistent=False)
        frequencies = 1000.0 ** -(torch.arange(M // 2) / (M // 2)) * 100.0
        self.register_buffer("frequencies", frequencies, persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for table in (self.words.weight, self.word_positions, self.always):
            nn.init.normal_(table, std=0.5)
        zeros = [self.patch_out, self.modulation_out]
        if self.config.self_condition:  # it begins as a network that sees no guess
            zeros.append(self.guess_embed)
        if self.refiner:
            zeros += [self.refiner.patch_out, self.refiner.modulation]
        zeros += [block.modulation for block in self.blocks if isinstance(block, ImageBlock)]
        for linear in zeros:
            nn.init.zeros_(linear.weight)

    def read_prompt(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """tokens (B, L) -> text tokens (B, S, E) and their mask (B, S), added to scores."""
        B = tokens.shape[0]
        y = self.words(tokens) + self.word_positions
        y = torch.cat([self.always.expand(B, -1, -1), y], dim=1)  # (B, S, E)
        mask = (tokens == PAD).to(torch.float32) * MASKED
        mask = F.pad(mask, (1, 0))  # (B, S), the always-present token first
        for block in self.text_blocks:
            y = block(y, mask[:, None, None])
        return self.norm_text(y), mask

    def forward(self, x: Tensor, t: Tensor, tokens: Tensor, guess: Tensor | None = None) -> Tensor:
        """x (B, 3, H, W), t (B,) in [0, 1], tokens (B, L) int64 -> (B, 3, H, W); all float32.

        guess, as x: an earlier guess of the clean picture; zeros or None: there is none.
        """
        return self.drawn(x, t, tokens, guess)[0]

    def drawn(
        self, x: Tensor, t: Tensor, tokens: Tensor, guess: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The clean picture, and the image tokens (B, T, D) half-way through the blocks."""
        text, mask = self.read_prompt(tokens)
        angles = t[:, None] * self.frequencies  # (B, M/2)
        condition = self.time_out(F.silu(self.time_in(torch.cat([angles.cos(), angles.sin()], -1))))
        condition = F.silu(condition + self.text_condition(text[:, 0]))  # (B, M)

        patches = cut_patches(x, self.config.patch_size)  # (B, G, G, 4 P P C)
        z = self.patch_embed(self.patch_in(patches)).float()  # (B, G, G, D)
        if guess is not None:
            earlier = cut_patches(guess, self.config.patch_size)
            z = z + self.guess_embed(self.guess_in(earlier)).float()
        side, _, width = sizes(z)
        z = z.reshape(-1, side * side, width)  # (B, T, D)
        keys = F.pad(mask, (side * side, 0))[:, None, None]  # (B, 1, 1, T + S)
        middle = z
        for number, block in enumerate(self.blocks, start=1):
            z = block(z, text, condition, keys, self.rotation)
            if number == (len(self.blocks) + 1) // 2:
                middle = z

        shift, scale = parts(self.modulation_out(condition).float()[:, None], 2)
        made = self.patch_out(torch.addcmul(shift, self.norm_out(z), 1 + scale))  # (B, T, 4 P P C)
        made = made.float().reshape(-1, *sizes(patches)) * self.windows
        clean = join_patches(made, self.config.patch_size)
        return self.refiner(x, t, clean, z, condition) if self.refiner else clean, middle
