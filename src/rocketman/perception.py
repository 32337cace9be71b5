"""A small network that learns to see, so that a training run can ask what a picture looks like.

The squared error of a picture counts pixels; an edge that is blurred costs it hardly anything. The
features of a network that tells pictures apart notice it (Johnson et al. 2016, "Perceptual losses";
Zhang et al. 2018, LPIPS). Theirs came from ImageNet; this one learns from the run's own data set
which words of its captions each picture shows and, where the data set knows that, what each pixel
shows; and from nothing else: no outside network, and never the probes that a model is measured by.

Level 4. Reads a data set's pictures, captions and labels, writes one safetensors file into the
run's folder. Next: `critic.py` adds `Perception.distance` to a run's loss.

Shapes: B pictures, C channels, H height and width; pictures in [-1, 1].
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  (its name everywhere)
from numpy.typing import NDArray
from torch import Tensor, nn

from rocketman.captions import OPPOSITE, words
from rocketman.data.batches import Pictures, to_floats
from rocketman.data.beside import load_labels
from rocketman.data.pictures import LABELS, BadPicture
from rocketman.files import write_whole
from rocketman.labels import CELL
from rocketman.parallel import Workers
from rocketman.precision import autocast, faster
from rocketman.weights import pack_tensors, read_tensors

LAYERS = ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (192, 2))
"""(channels, stride) of each convolution."""
BATCH, STEPS, LEARNING_RATE, DECAY = 64, 1200, 2e-3, 0.7
LEAST, MOST = 0.002, 0.98
"""Words in a smaller or larger share of the captions tell too little."""
LABELS_WEIGHT = 0.3
"""Of the labels' cross-entropy beside the words'."""
SMALLEST_CROP, GAIN, NOISE = 0.8, 0.15, 0.3
"""What each visit changes of a picture: the share of its width, its contrast, and of every other
one its noise."""
REPORT_EVERY = 200

Report = Callable[[str], None]


class Perception(nn.Module):
    """Picture (B, 3, H, H) -> features of six layers, and a logit for each of some words."""

    def __init__(self, count: int) -> None:
        super().__init__()
        inputs = [3, *(channels for channels, _ in LAYERS)]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, channels, 3, stride, 1, bias=False)
            for before, (channels, stride) in zip(inputs, LAYERS, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for channels, _ in LAYERS)
        self.head = nn.Linear(4 * LAYERS[-1][0], count)

    def features(self, x: Tensor) -> list[Tensor]:
        """One tensor (B, C, H', H') a layer, fine ones first."""
        x = x.contiguous(memory_format=torch.channels_last)
        found = []
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = F.silu(norm(convolution(x)))
            found.append(x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        """(B, words): above 0 where the picture shows what the word says."""
        return self.said(self.features(x))

    def said(self, features: list[Tensor]) -> Tensor:
        """(B, words), of a picture's features."""
        logits: Tensor = self.head(F.adaptive_avg_pool2d(features[-1], 2).flatten(1))
        return logits

    def distance(self, drawn: Tensor, real: Tensor) -> Tensor:
        """(B,), 0 and up: squared distance of the features, each pixel's scaled to unit length
        (LPIPS, equation 1, every channel alike), mean over pixels and layers."""
        with torch.no_grad():
            wanted = [unit(feature) for feature in self.features(real)]
        found = [unit(feature) for feature in self.features(drawn)]
        apart = [
            (a - b).square().sum(dim=1).mean(dim=(1, 2)) for a, b in zip(found, wanted, strict=True)
        ]
        return torch.stack(apart).mean(dim=0)


class Labels(nn.Module):
    """Features of a `Perception` -> a logit a label and cell. It is there while it learns only:
    what tells glove from string has to be in the features, at 8, 16 and 32 cells a side."""

    def __init__(self, count: int) -> None:
        super().__init__()
        widths = [channels for channels, _ in LAYERS]
        self.middle = nn.Conv2d(widths[5] + widths[4], 64, 3, padding=1)
        self.fine = nn.Conv2d(64 + widths[2], 64, 3, padding=1)
        self.out = nn.Conv2d(64, count, 1)

    def forward(self, features: list[Tensor]) -> Tensor:
        """(B, count, H / CELL, H / CELL)."""
        x = features[5]
        for below, layer in ((features[4], self.middle), (features[2], self.fine)):
            wide = F.interpolate(x, below.shape[-2:], mode="bilinear")
            x = F.silu(layer(torch.cat([wide, below], dim=1)))
        logits: Tensor = self.out(x)
        return logits


def unit(features: Tensor) -> Tensor:
    """(B, C, H, H), each pixel's channels scaled to length 1."""
    return features * (features.square().sum(dim=1, keepdim=True) + 1e-6).rsqrt()


def perception(
    pictures: Pictures,
    path: Path,
    seed: int,
    device: torch.device,
    workers: Workers = Workers(),  # noqa: B008  (frozen)
    report: Report = lambda line: None,
    folder: Path | None = None,
    resume: bool = False,
) -> Perception:
    """The network that a run sees with: the one at `path` if it learnt from these pictures, else
    one that learns now.

    folder: the data set whose training split `pictures` are, which may say what each pixel shows.
    resume: the one at `path`, whatever it learnt from: the run's critic knows its features.
    Its parameters want no gradient. ValueError if no word of the captions tells pictures apart;
    ModelError if the file is damaged.
    """
    if workers.leads and not (path.is_file() and (resume or learnt_from(path, pictures))):
        names = telling_words(pictures)
        if not names:
            raise ValueError(
                "perceptual_weight needs captions that differ: no word tells these pictures apart."
            )
        labels = None
        if folder:
            try:
                labels = load_labels(folder, "train", pictures, pictures.pixels.shape[1])
            except ValueError as error:  # without labels for every picture, the words have to do
                if isinstance(error.__cause__, BadPicture):
                    report(f"{error} So only captions tell what pictures show.")
        learnt = learn(pictures, names, seed, device, report, labels)
        arrays = {name: tensor.cpu().numpy() for name, tensor in learnt.state_dict().items()}
        about = {"words": " ".join(names), "data": pictures.hash}
        write_whole(path, pack_tensors(arrays, about))
    workers.agree(0.0, False)  # the others wait for the leader's file
    arrays, metadata = read_tensors(path)
    network = Perception(len(metadata["words"].split()))
    network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    return network.to(device).eval().requires_grad_(False)


def learnt_from(path: Path, pictures: Pictures) -> bool:
    """Whether the network at `path` did; an older file, which does not say, is believed."""
    _, metadata = read_tensors(path)
    return metadata.get("data", pictures.hash) == pictures.hash


def telling_words(pictures: Pictures) -> list[str]:
    """Words that some captions have and others lack, sorted; none that a mirror turns over."""
    counts = Counter(word for caption in pictures.full_captions for word in set(words(caption)))
    low, high = (share * len(pictures.captions) for share in (LEAST, MOST))
    return sorted(
        word for word, count in counts.items() if low < count < high and word not in OPPOSITE
    )


def learn(
    pictures: Pictures,
    names: list[str],
    seed: int,
    device: torch.device,
    report: Report,
    labels: NDArray[np.uint8] | None = None,
) -> Perception:
    """A network that says of each of these words whether a picture's caption has it, and from
    whose features can be told what a pixel shows."""
    torch.manual_seed(seed)
    shown = [set(words(caption)) for caption in pictures.full_captions]
    said = torch.tensor([[name in each for name in names] for each in shown]).float()
    network, precision = Perception(len(names)).to(device), faster(device.type)
    labelling = None if labels is None else Labels(len(LABELS)).to(device)
    learning = [*network.parameters(), *(labelling.parameters() if labelling else ())]
    optimizer = torch.optim.AdamW(learning, weight_decay=0.05, betas=(0.9, 0.98))
    parts = "" if labels is None else ", and what each pixel shows"
    report(f"learning to see {len(names)} words in pictures{parts}")
    for step in range(STEPS):
        rate = LEARNING_RATE * min(1.0, (step + 1) / 100, (1 - step / STEPS) / DECAY)
        optimizer.param_groups[0]["lr"] = rate
        chosen = torch.randint(len(shown), (BATCH,)).numpy()
        x = torch.from_numpy(to_floats(pictures.pixels[chosen]))
        told = None if labels is None else torch.from_numpy(labels[chosen])
        x, told = changed(x, told)
        with autocast(precision, device.type):
            features = network.features(x.to(device))
            logits = network.said(features).float()
            loss = F.binary_cross_entropy_with_logits(logits, said[chosen].to(device))
            if labelling and told is not None:
                cells = labelling(features).float()
                loss = loss + LABELS_WEIGHT * F.cross_entropy(cells, told.to(device))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if (step + 1) % REPORT_EVERY == 0:
            report(f"learning to see, step {step + 1} of {STEPS}: loss {loss.item():.4f}")
    return network


def changed(x: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
    """Pictures (B, 3, H, H) as a visit sees them: mirrored, cropped, in other contrast, noisy; and
    the labels (B, H, H) of their cells, (B, H / CELL, H / CELL)."""
    size = x.shape[-1]
    side = int(torch.randint(round(SMALLEST_CROP * size), size + 1, ()))
    top, left = torch.randint(size - side + 1, (2,)).tolist()
    kept = slice(top, top + side), slice(left, left + side)
    x = F.interpolate(x[:, :, *kept], size, mode="bilinear", antialias=True)
    if labels is not None:
        cells = F.interpolate(labels[:, None, *kept].float(), size // CELL, mode="nearest-exact")
        labels = cells[:, 0].long()
    if torch.rand(()) < 0.5:
        x, labels = x.flip(-1), None if labels is None else labels.flip(-1)
    strength = torch.rand(2, len(x), 1, 1, 1)
    noise = NOISE * strength[0] * (strength[1] < 0.5)
    x = x * (1 + GAIN * torch.randn(len(x), 1, 1, 1))
    return x + noise * torch.randn_like(x), labels
