#!/usr/bin/env bash
# Runs every fuzz test of the sanitized build, each for SECONDS, as many at once as there are cores.
# The last line is "N passed, N failed, N skipped".
#   ./tests/fuzz.sh SECONDS [BUILD]
set -uo pipefail
cd "$(dirname "$0")/.."

if [ $# -lt 1 ]; then
  sed -n '2,4s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
export FUZZ_SECONDS=$1
build=${2:-build_asan}
program=$build/tests/formats_tests
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

run_one() {
  "$1" --gtest_filter="$2" > "$3/$2.log" 2>&1 && touch "$3/$2.passed"
}
export -f run_one

tests=$("$program" --gtest_list_tests --gtest_filter='*Fuzz*' |
  awk '/^[^ ]/ { suite = $1 } /^ / { print suite $1 }')
echo "$tests" | xargs -P "$(nproc)" -I{} bash -c 'run_one "$@"' _ "$program" {} "$results"

passed=0 failed=0
for name in $tests; do
  if [ -e "$results/$name.passed" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    cat "$results/$name.log"
    echo "failed: $name"
  fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
