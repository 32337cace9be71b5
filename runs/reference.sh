#!/usr/bin/env bash
# A model from nothing: pictures, transformer, second stage, index with probes.
# Two quiet cores need about eight hours, added up from its parts. Rendering needs Python 3.11 with
# the extra `scenes`, the rest the extra `train`. Every step goes on where it stopped when the script
# is started again.
set -euo pipefail
cd "$(dirname "$0")/.."
data=$HOME/.cache/rocketman/astronauts
run=${1:-$HOME/.cache/rocketman/runs/astronauts}

rocketman dataset render --count 8000 --size 256 --seed 1 --out "$data" --workers 2 --passes
if [ ! -e "$run/model/config.toml" ]; then
    resume=()
    if compgen -G "$run/checkpoints/step-*.safetensors" >/dev/null; then resume=(--resume); fi
    rocketman train runs/astronauts.toml --data "$data" --out "$run" "${resume[@]}"
fi
if [ ! -e "$run/model/detail.onnx" ]; then
    python -m rocketman.detail "$data" "$run/model"
fi
if [ ! -e "$run/model/training/gradients.npy" ]; then
    rocketman audit index "$run/model" --data "$data"
fi
echo "The model is in $run/model"
