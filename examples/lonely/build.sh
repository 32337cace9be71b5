#!/bin/sh
# The whole collection by one command, from nothing: 96 candidates, the 24 best of them in a gallery
# and a film, all checked. Killed or stopped, the same command goes on.
#
#     sh examples/lonely/build.sh [OUT]
#
# Needs the extras: pip install '.[gallery,film]'. Without `film` the film is left out.
set -eu
here=$(dirname "$0")
out=${1:-$here/out}
mkdir -p "$out"
sed 's/^artist = .*/artist = "The Rocketman authors"/' "$here/collection.toml" > "$out/collection.toml"
rocketman collection run "$out"
rocketman collection publish "$out"
