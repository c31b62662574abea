#!/usr/bin/env python3
"""Times training steps, and the way to the first one, of the program and of a peer in turns.

    .venv/bin/python tests/bench/steps.py [WORKLOAD...] [--dtype fp32|bf16] [--peer PROGRAM]

WORKLOAD: gpt_tiny, gpt_small, bert_small, bert_small_padded, electra_small (a configuration of that
name lies here; all if none is named), or startup. PROGRAM is called as `PROGRAM WORKLOAD --dtype D --threads N --steps S --fused` and prints
one JSON line with ms_per_step, tok_per_s and faults_per_step. What each figure is: README.md.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import torch

BENCH = pathlib.Path(__file__).parent
ROOT = BENCH.parents[1]
PROGRAM = ROOT / os.environ.get("PRETRAIN_BUILD", "build") / "pretrain"
# Ordinary tokens, special tokens, steps to time.
WORKLOADS = {"gpt_tiny": (65, None, 300), "gpt_small": (50304, None, 30),
             "bert_small": (30518, "bert", 20), "bert_small_padded": (30518, "bert", 20),
             "electra_small": (30518, "bert", 20)}
SEQUENCE, MARKS = 128, 2  # of bert_small_padded: tokens of its longest documents, [CLS] and [SEP]
CORPUS_TOKENS = 1_000_000
LINE_STEPS = 10  # logging.every; the first line is warm-up
PRODUCT_SIZES = (1024, 1536, 2048)


def cut_documents(text, draw):
    """Lengths, marks included: lognormal(4.0, 0.6), at least 8 and at most a row."""
    while text:
        length = int(min(max(draw.lognormvariate(4.0, 0.6), 8), SEQUENCE)) - MARKS
        yield text[:length]
        text = text[length:]


def build_corpus(workload, folder):
    """Random characters: the char tokenizer makes a vocabulary of exactly those that occur."""
    vocab_size, special, _ = WORKLOADS[workload]
    scalars = [chr(c) for c in range(0x30, 0x20000) if not 0xD800 <= c <= 0xDFFF][:vocab_size]
    text, corpus = folder / f"{workload}.txt", folder / f"{workload}.h5"
    if corpus.exists():
        return corpus
    draw = random.Random(1)
    characters = scalars + draw.choices(scalars, k=CORPUS_TOKENS)
    if workload == "bert_small_padded":
        characters = list("\n".join(cut_documents("".join(characters), draw)))
    text.write_text("".join(characters), encoding="utf-8")
    subprocess.run([PROGRAM, "corpus", "build", corpus, "--tokenizer", "char", "--no-eos",
                    "--doc-sep", "line" if workload == "bert_small_padded" else "file",
                    "--valid-fraction", "0",
                    *(["--special", special] if special else []), text], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return corpus


def ceiling(dtype, threads):
    """FLOP/s of the fastest square product, plain or with a packed weight, in oneDNN."""
    torch.set_num_threads(threads)
    kind = {"fp32": torch.float32, "bf16": torch.bfloat16}[dtype]
    best = 0.0
    for size in PRODUCT_SIZES:
        x, plain = torch.randn(size, size).to(kind), torch.randn(size, size).to(kind)
        for weight in (plain, torch.ops.mkldnn._reorder_linear_weight(plain, size)):
            for _ in range(20):
                start = time.perf_counter()
                torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")
                best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best


def minor_faults(pid):
    """Page faults without I/O of a process so far; None when it has ended."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[7])  # field 10 of proc_pid_stat(5), the third follows the name


def run_program(workload, corpus, run_dir, options, *overrides):
    """Seconds from the start to the end and to the first line of metrics, all lines, and the
    process's faults when each of them was seen."""
    command = [PROGRAM, BENCH / f"{workload}.yaml", f"run.dir={run_dir}",
               f"data.sources=[{{path: {corpus}}}]", f"run.threads={options.threads}",
               f"precision.compute={options.dtype}", *overrides]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    metrics = run_dir / "metrics.jsonl"
    first, faults = None, []
    while process.poll() is None:
        count = metrics.read_bytes().count(b"\n") if metrics.exists() else 0
        if count > len(faults):
            first = first or time.perf_counter() - start
            faults += [minor_faults(process.pid)] * (count - len(faults))
        time.sleep(0.002 if first is None else 0.02)
    seconds = time.perf_counter() - start
    if process.returncode != 0:
        sys.exit(f"steps.py: {' '.join(map(str, command))} exits {process.returncode}")
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    return seconds, first or seconds, lines, faults


def run_peer(workload, steps, options, *more):
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run([options.peer, workload, "--dtype", options.dtype, "--threads",
                           str(options.threads), "--steps", str(steps), "--fused", *more],
                          env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def time_program(workload, corpus, run_dir, steps, options):
    """ms of a step, faults of a step, FLOP and tokens of a step."""
    _, _, lines, faults = run_program(workload, corpus, run_dir, options,
                                      f"train.duration={{steps: {steps + LINE_STEPS}}}")
    timed = [line for line in lines if line["step"] > LINE_STEPS]
    # Up to the last line but one: after the last one the run saves its checkpoint.
    seen = [(line["step"], count) for line, count in zip(lines, faults)
            if count is not None and line["step"] >= LINE_STEPS][:-1]
    per_step = ((seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0])
                if len(seen) > 1 else float("nan"))
    last = lines[-1]
    return (1e3 * statistics.median(line["t_step"] for line in timed), per_step,
            last["flops"] / last["step"], last["real_tokens"] / last["step"])


def spread(values, digits=1):
    return (f"{statistics.median(values):.{digits}f} "
            f"({min(values):.{digits}f} to {max(values):.{digits}f})")


def bench_steps(workload, folder, options):
    corpus = build_corpus(workload, folder)
    steps = options.steps or WORKLOADS[workload][2]
    peak = ceiling(options.dtype, options.threads)
    print(f"{workload} {options.dtype}, {options.threads} threads, {options.repeats} repeats of "
          f"{steps} steps after {LINE_STEPS} of warm-up; ceiling {peak / 1e9:.0f} GFLOP/s")
    ours, theirs, our_faults, their_faults, rates = [], [], [], [], []
    for repeat in range(options.repeats):
        ms, faults, flops, tokens = time_program(workload, corpus,
                                                 folder / f"{workload}-{repeat}", steps, options)
        ours.append(ms)
        our_faults.append(faults)
        if options.peer:
            result = run_peer(workload, steps, options)
            theirs.append(result["ms_per_step"])
            their_faults.append(result["faults_per_step"])
            rates.append(1e3 * tokens / ms / result["tok_per_s"])
    peak = max(peak, ceiling(options.dtype, options.threads))
    seconds = statistics.median(ours) / 1e3
    print(f"  ours  {spread(ours)} ms a step, {tokens / seconds:,.0f} tokens/s, "
          f"{statistics.median(our_faults):,.0f} minor faults a step, "
          f"{flops / seconds / peak:.1%} of the ceiling")
    if theirs:
        pairs = [a / b for a, b in zip(ours, theirs)]
        print(f"  peer  {spread(theirs)} ms a step, {statistics.median(their_faults):,.0f} minor "
              f"faults a step\n  time of ours / peer {spread(pairs, 2)}; tokens/s of ours / peer "
              f"{spread(rates, 2)}", flush=True)


def bench_startup(folder, options):
    corpus = build_corpus("gpt_tiny", folder)
    first, whole, theirs = [], [], []
    for repeat in range(options.repeats):
        seconds, until_first, _, _ = run_program(
            "gpt_tiny", corpus, folder / f"startup-{repeat}", options,
            "train.duration={steps: 1}", "logging.every={steps: 1}")
        first.append(until_first)
        whole.append(seconds)
        if options.peer:
            start = time.perf_counter()
            run_peer("gpt_tiny", 1, options, "--warmup", "0")
            theirs.append(time.perf_counter() - start)
    print(f"startup: gpt_tiny {options.dtype}, {options.threads} threads, {options.repeats} repeats")
    print(f"  ours  {spread(first, 2)} s from process start to the first finished step, "
          f"{spread(whole, 2)} s to the end of the process, its checkpoint saved")
    if theirs:
        pairs = [a / b for a, b in zip(whole, theirs)]
        print(f"  peer  {spread(theirs, 2)} s for a process of one step, nothing saved")
        print(f"  whole process of ours / peer {spread(pairs, 2)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--peer", help="program to compare with")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, help="to time in each repeat, a multiple of 10, >= 20")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    known = [*WORKLOADS, "startup"]
    for workload in options.workloads:
        if workload not in known:
            parser.error(f"{workload} is none of {', '.join(known)}")
    if options.steps and (options.steps < 20 or options.steps % LINE_STEPS):
        parser.error(f"--steps {options.steps}: expected a multiple of 10, at least 20")
    with tempfile.TemporaryDirectory(prefix="pretrain-bench-") as folder:
        for workload in options.workloads or known:
            if workload == "startup":
                bench_startup(pathlib.Path(folder), options)
            else:
                bench_steps(workload, pathlib.Path(folder), options)


if __name__ == "__main__":
    main()
