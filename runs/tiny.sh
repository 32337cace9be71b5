#!/usr/bin/env bash
# The whole pipeline once, small, in a few minutes on two cores: data, training, second stage, index
# with probes, pictures, their audit, a gallery, figures. What it draws is fog; every step is real.
# It reads the two hundred renders that travel with the code. Needs the extras `train` and `gallery`.
#
#     runs/tiny.sh [OUT]
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-$(mktemp -d)}
data=examples/sample-dataset
prompt="an astronaut in a red suit playing a harp above mars"
export ROCKETMAN_CACHE="$out/cache"

rocketman dataset check "$data"
rocketman train runs/tiny.toml --out "$out/run"
model=$out/run/model
python -m rocketman.detail "$data" "$model" --steps 60
rocketman audit index "$model" --data "$data"
rocketman generate "$prompt" -n 4 --seed 1 --model "$model" --out "$out/pictures"
rocketman verify "$out"/pictures/*.png
rocketman audit picture "$out"/pictures/*.png --model "$model" || [ $? = 1 ] # a copy is an answer
rocketman evaluate "$model" --data "$data" --count 16 --card
rocketman collection new "$out/series"
sed -i.bak "s|^# model = .*|model = \"$(cd "$model" && pwd)\"|" "$out/series/collection.toml"
rocketman collection run "$out/series"
rocketman collection gallery "$out/series"
echo "All of it is in $out"
