"""Runs the program as a user does, and reads what it wrote."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = ROOT / os.environ.get("PRETRAIN_BUILD", "build") / "pretrain"

# As launch/environment.sh: mpirun may run as root and start more ranks than there are cores.
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1"}


def pretrain(*words, ranks=1, timeout=600):
    """What `pretrain WORDS...` prints; AssertionError with it if that fails."""
    launcher = [] if ranks == 1 else ["mpirun", "-np", str(ranks)]
    done = subprocess.run([*launcher, PROGRAM, *map(str, words)], env=ENVIRONMENT,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=timeout)
    if done.returncode != 0:
        raise AssertionError(f"pretrain {words[0]} exits {done.returncode}: {done.stdout[-3000:]}")
    return done.stdout


def metrics(run_dir, phase):
    """The lines of one phase of a run's metrics.jsonl."""
    lines = map(json.loads, (run_dir / "metrics.jsonl").read_text().splitlines())
    return [line for line in lines if line["phase"] == phase]
