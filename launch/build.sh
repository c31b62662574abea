#!/usr/bin/env bash
# Configures and builds into build/. Without arguments all targets, tests too.
#   ./launch/build.sh [TARGET...]
# PRETRAIN_BUILD names another folder, CMAKE_FLAGS adds flags.
set -euo pipefail
cd "$(dirname "$0")/.."
. launch/environment.sh

build=${PRETRAIN_BUILD:-build}

flags=()
read -r -a flags <<< "${CMAKE_FLAGS:-}"
# A folder that was moved or copied holds paths of the old place.
if [ -e "$build/CMakeCache.txt" ] &&
  ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$build/CMakeCache.txt"; then
  flags+=(--fresh)
fi

echo "== build: $build with $CMAKE_BUILD_PARALLEL_LEVEL compilers at a time"
mkdir -p "$build"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release "${flags[@]}" \
  > "$build/configure.log" 2>&1 || {
  cat "$build/configure.log" >&2
  echo "build: cmake failed" >&2
  exit 1
}
cmake --build "$build" ${1:+--target "$@"}
