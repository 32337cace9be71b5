"""Draw four pictures of one prompt and save each with its recipe inside.

python examples/generate.py [FOLDER]
"""

import argparse
from pathlib import Path

from rocketman import load

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder", type=Path, nargs="?", default=Path("rocketman-pictures"))
folder = parser.parse_args().folder
folder.mkdir(parents=True, exist_ok=True)

pipeline = load()
for picture in pipeline(
    "an astronaut in a white suit playing a harp above the blue earth",
    num_images_per_prompt=4,
    seed=1,
):
    path = picture.save(folder / f"harp-{picture.recipe.seed}.png")
    print(path, f"{picture.recipe.seconds:.2f} s")
