#!/usr/bin/env bash
# Sets up, builds and runs every test; the last line is "N passed, N failed, N skipped".
#   ./tests/run.sh
# Tests on real text look for it in $PRETRAIN_SHARED or ../shared and count as skipped without it.
set -euo pipefail
cd "$(dirname "$0")/.."
. launch/environment.sh

./launch/setup.sh --tests
./launch/build.sh

if [ -z "${PRETRAIN_SHARED:-}" ] && [ -d ../shared ]; then
  PRETRAIN_SHARED=$(cd ../shared && pwd)
  export PRETRAIN_SHARED
fi
exec .venv/bin/python tests/run_tests.py "${PRETRAIN_BUILD:-build}" tests/integration tests/parity
