#!/usr/bin/env bash
# Configures and builds into build/. Without arguments all targets, tests too.
#   ./launch/build.sh [TARGET...]
# PRETRAIN_BUILD names another folder, CMAKE_FLAGS adds flags, JOBS sets the number of compilers.
set -euo pipefail
cd "$(dirname "$0")/.."
. launch/environment.sh

build=${PRETRAIN_BUILD:-build}

# A compiler reading libtorch's headers takes up to 2 GiB.
if [ -z "${JOBS:-}" ]; then
  JOBS=$(nproc)
  by_memory=$(awk '/^MemAvailable/ { print int($2 / 2097152) }' /proc/meminfo)
  if [ "$by_memory" -lt "$JOBS" ]; then JOBS=$((by_memory > 0 ? by_memory : 1)); fi
fi

flags=()
read -r -a flags <<< "${CMAKE_FLAGS:-}"
# A folder that was moved or copied holds paths of the old place.
if [ -e "$build/CMakeCache.txt" ] &&
  ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$build/CMakeCache.txt"; then
  flags+=(--fresh)
fi

echo "== build: $build with $JOBS compilers at a time"
mkdir -p "$build"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release "${flags[@]}" \
  > "$build/configure.log" 2>&1 || {
  cat "$build/configure.log" >&2
  echo "build: cmake failed" >&2
  exit 1
}
cmake --build "$build" -j "$JOBS" ${1:+--target "$@"}
