#!/usr/bin/env bash
# The shipped weights, from nothing: pictures, transformer, second stage.
# Two cores need about two hours. Rendering needs Python 3.11 with the extra `scenes`, training the
# extra `train`. Every step goes on where it stopped when the script is started again.
set -euo pipefail
cd "$(dirname "$0")/.."
data=$HOME/.cache/rocketman/first-light  # as in runs/first-light.toml
run=${1:-$HOME/.cache/rocketman/runs/astronauts}

rocketman dataset render --count 2950 --size 128 --seed 1 --out "$data" --workers 2
if [ ! -e "$run/model/config.toml" ]; then
    resume=()
    if compgen -G "$run/checkpoints/step-*.safetensors" >/dev/null; then resume=(--resume); fi
    rocketman train runs/first-light.toml --out "$run" "${resume[@]}"
fi
if [ ! -e "$run/model/detail.onnx" ]; then
    python -m rocketman.detail "$data" "$run/model"
fi
echo "The model is in $run/model"
