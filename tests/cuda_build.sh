#!/bin/sh
# Compiles and links the CUDA and NCCL path on a machine that needs neither GPU nor CUDA toolkit:
# headers and libraries come from Python packages, installed without what they depend on.
# Usage: tests/cuda_build.sh [build folder, default build_cuda]
set -eu
source_dir=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$source_dir/build_cuda}
version_of() { awk -v name="$1" '$1 == name { print $2 }' "$source_dir/launch/versions.txt"; }

mkdir -p "$build"
[ -x "$build/venv/bin/python" ] || python3 -m venv "$build/venv"
install() {
  "$build/venv/bin/pip" --disable-pip-version-check install "$@" --quiet --no-deps \
    "torch==$(version_of torch)" "$(version_of cudart)" "$(version_of crt)" "$(version_of cccl)" \
    "$(version_of nccl)"
}
has_cuda() { ls "$build"/venv/lib/python3*/site-packages/torch/lib/libtorch_cuda.so > /dev/null 2>&1; }
has_cuda || install
# Where pip is set up to find a wheel for CPUs first, its set-up is left aside.
has_cuda || install --isolated --force-reinstall
torch=$("$build/venv/bin/python" -c \
  'import importlib.metadata as m; print(m.distribution("torch").locate_file("torch"))')
cmake -S "$source_dir" -B "$build" -G Ninja -DPRETRAIN_CUDA=ON -DPRETRAIN_TORCH="$torch"
cmake --build "$build" --target pretrain
for library in libtorch_cuda.so libnccl.so.2; do
  if ! readelf -d "$build/pretrain" | grep -q "NEEDED.*$library"; then
    echo "cuda_build: FAILED: the program does not load $library" >&2
    exit 1
  fi
done
echo "cuda_build: OK: pretrain built with torch $(version_of torch), $(version_of cudart)," \
  "$(version_of nccl)"
