#!/usr/bin/env bash
# From a fresh Debian 12 machine to a trained language model: sets up, builds, trains a tokenizer on
# the King James Bible, makes a corpus of it, trains on two ranks, fails unless the model learned. A
# repeat continues where the last one ended; a finished run prints its result again.
#   ./launch/quickstart.sh [a.b=c ...]     (overrides of configs/quickstart.yaml)
set -euo pipefail
cd "$(dirname "$0")/.."
. launch/environment.sh

bpb_bound=1.75  # the last bits per byte must lie below it; measured: 1.55
run_dir=runs/quickstart
for word in "$@"; do
  case "$word" in run.dir=*) run_dir=${word#run.dir=} ;; esac
done
text=data/kjv.txt
tokenizer=data/kjv.json  # the corpus keeps a copy, data/kjv.tokenizer.json
corpus=data/kjv.h5
program=${PRETRAIN_BUILD:-build}/pretrain

say() { printf '== quickstart: %s\n' "$*"; }
die() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }

./launch/setup.sh
./launch/build.sh pretrain

# `bible` prints a verse a line, "Ge1:1 In the beginning ...": the reference goes, a chapter becomes
# a document.
if [ ! -e "$text" ]; then
  mkdir -p data
  bible -f gen1:1-rev22:21 < /dev/null | LC_ALL=C awk '
    { chapter = $1; sub(/:.*/, "", chapter) }
    NR > 1 && chapter != last { print "" }
    { last = chapter; print substr($0, length($1) + 2) }' > "$text.part"
  verses=$(grep -c . "$text.part") || true
  [ "$verses" = 31102 ] || die "bible printed $verses verses, expected 31102. Reinstall bible-kjv"
  mv "$text.part" "$text"
fi
if [ ! -e "$tokenizer" ]; then
  say "training $tokenizer"
  "$program" tokenizer train bpe "$tokenizer" "$text" --vocab 4096
fi
if [ ! "$corpus" -nt "$tokenizer" ]; then      # none, or one of another tokenizer
  say "building $corpus"
  "$program" corpus build "$corpus" --tokenizer "$tokenizer" --valid-fraction 0.02 --force "$text"
fi

say "training: mpirun -np 2 $program configs/quickstart.yaml $*"
mpirun -np 2 "$program" configs/quickstart.yaml "$@" < /dev/null

say "sample: $program generate $run_dir --prompt 'In the beginning' --tokens 100"
"$program" generate "$run_dir" --prompt "In the beginning" --tokens 100 < /dev/null

scores=$(.venv/bin/python - "$run_dir/metrics.jsonl" "$bpb_bound" <<'PYTHON'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
bpb = [float(line["bpb"]) for line in lines if line["phase"] == "eval" and line.get("bpb")]
print(bpb[0], bpb[-1], "learned" if bpb[-1] < min(bpb[0], float(sys.argv[2])) else "failed")
PYTHON
) || die "$run_dir/metrics.jsonl has no line of phase eval with a bpb"
read -r first last outcome <<< "$scores"
say "bits per byte on the valid split: $first at the start, $last at the end (bound $bpb_bound)"
say "corpus $corpus, run $run_dir: metrics.jsonl, checkpoints/, tb/, logs/"
[ "$outcome" = learned ] ||
  die "$last bits per byte is not below $bpb_bound and the start: the model did not learn"
