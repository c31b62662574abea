#!/usr/bin/env python3
"""Does ELECTRA's order of objectives show at small scale? Trains masked_lm, ELECTRA and two of its
ablations at equal FLOPs on the same text, reads each out frozen, and prints a table.

    .venv/bin/python tests/experiments/electra_effect.py OUT [--flops 1.5e13] [--seeds 3]

OUT keeps the vocabulary, the corpus, the runs and the scores: the same command goes on where an
earlier one was stopped. What is measured and how: README.md.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import tokenizers
import torch
import transformers

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get("PRETRAIN_BUILD", "build") / "pretrain"
SHARED = pathlib.Path(os.environ.get("PRETRAIN_SHARED", ROOT.parent / "shared"))

LENGTH, BATCH = 128, 32
CONFIG = f"""\
data:
  sequence_length: {LENGTH}
  sources: [{{path: corpus.h5}}]
model: MODEL
objective: OBJECTIVE
optimizer: {{name: adamw, lr: 1.0e-3, weight_decay: 0.01, betas: [0.9, 0.999], eps: 1.0e-6}}
schedule: {{name: linear, warmup: {{fraction: 0.05}}, min_lr_ratio: 0}}
train: {{duration: {{steps: 1}}, global_batch_sequences: {BATCH}, micro_batch: {BATCH}}}
checkpoint: {{every: {{steps: 500}}, keep_last: 2, keep_best: 0}}
eval: {{at_start: false, at_end: true, every: {{steps: 1000000}}, sets: [{{path: corpus.h5, split: valid}}]}}
logging: {{every: {{steps: 50}}, console: none, tensorboard: false}}
"""
SIZES = "layers: 4, hidden: 128, heads: 4, ffn: 512"
ELECTRA = f"name: electra, {SIZES}, embedding_size: 64, generator: {{size: 0.25}}"
RTD = "name: replaced_token_detection"
ARMS = {
    "bert": (f"{{name: bert, {SIZES}}}", "{name: masked_lm}"),
    "electra": (f"{{{ELECTRA}}}", f"{{{RTD}}}"),
    "electra_15": (f"{{{ELECTRA}}}", f"{{{RTD}, variant: electra_15}}"),
    "all_tokens_mlm": (f"{{{ELECTRA}, token_head: true}}", f"{{{RTD}, variant: all_tokens_mlm}}"),
}


def pretrain(*words):
    done = subprocess.run([PROGRAM, *map(str, words)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"electra_effect: pretrain {' '.join(map(str, words))} ends with {done.returncode}")
    return done.stdout


def build_corpus(out, vocabulary):
    texts = sorted((SHARED / "data" / "text" / "books").glob("*.txt"))
    tokenizer, corpus = out / "wordpiece.tokenizer.json", out / "corpus.h5"
    if not tokenizer.exists():
        pretrain("tokenizer", "train", "wordpiece", tokenizer, *texts, "--vocab", vocabulary)
    if not corpus.exists():
        pretrain("corpus", "build", corpus, "--tokenizer", tokenizer, *texts[:-1], "--valid", texts[-1])
    return corpus


def train(out, arm, seed, flops, threads):
    """The directory of transformers' class of a run with that budget."""
    run, exported = out / "runs" / f"{arm}-{seed}", out / "models" / f"{arm}-{seed}"
    if exported.exists():
        return run, exported
    model, objective = ARMS[arm]
    config = out / f"{arm}.yaml"
    config.write_text(CONFIG.replace("MODEL", model).replace("OBJECTIVE", objective))
    steps = 1000
    planned = pretrain("check", config, f"run.dir={run}-plan", f"train.duration={{steps: {steps}}}")
    steps = round(steps * flops / float(re.search(r"= ([0-9.e+]+) FLOP", planned)[1]))
    pretrain(config, f"run.dir={run}", f"run.seed={seed}", f"run.threads={threads}",
             f"train.duration={{steps: {steps}}}")
    exported.parent.mkdir(exist_ok=True)
    pretrain("export", run, exported, "--headless")
    return run, exported


def read_task(split):
    lines = (SHARED / "data" / "eval" / "sst2" / f"{split}.txt").read_text().splitlines()
    pairs = [line.split(" ", 1) for line in lines if line.strip()]
    return [text for _, text in pairs], torch.tensor([int(label) for label, _ in pairs])


def features(model, tokenizer, texts):
    """[layers + 1, texts, width]: the mean over each text's own tokens, [CLS] and [SEP] left out."""
    rows = [tokenizer.encode(text, add_special_tokens=False).ids[:LENGTH - 2] for text in texts]
    cls, sep, pad = (tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]", "[PAD]"))
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    means = [None] * len(rows)
    with torch.no_grad():
        for first in range(0, len(order), 64):
            part = order[first:first + 64]
            width = max(len(rows[i]) for i in part) + 2
            inputs = torch.full((len(part), width), pad)
            mask, own = torch.zeros(len(part), width), torch.zeros(len(part), width, 1)
            for row, i in enumerate(part):
                ids = [cls, *rows[i], sep]
                inputs[row, :len(ids)] = torch.tensor(ids)
                mask[row, :len(ids)] = 1
                own[row, 1:len(ids) - 1] = 1
            hidden = model(input_ids=inputs, attention_mask=mask, output_hidden_states=True).hidden_states
            pooled = torch.stack([(h * own).sum(1) / own.sum(1).clamp_min(1) for h in hidden
                                  if h.shape[-1] == hidden[-1].shape[-1]])
            for row, i in enumerate(part):
                means[i] = pooled[:, row]
    return torch.stack(means, 1)


def fit(x, y, penalty=1e-3):
    """Logistic regression with an L2 penalty, by LBFGS, on standardised features."""
    mean, spread = x.mean(0), x.std(0).clamp_min(1e-6)
    weight = torch.zeros(x.shape[1], requires_grad=True, dtype=x.dtype)
    bias = torch.zeros((), requires_grad=True, dtype=x.dtype)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")
    scaled, wanted = (x - mean) / spread, y.to(x.dtype)

    def loss():
        optimizer.zero_grad()
        value = torch.nn.functional.binary_cross_entropy_with_logits(scaled @ weight + bias, wanted)
        value = value + penalty * weight.square().sum()
        value.backward()
        return value
    optimizer.step(loss)
    return lambda rows: (((rows - mean) / spread) @ weight + bias > 0).long().detach()


def read_out(exported, tokenizer_path):
    """Test accuracy of the layer that is best on dev, which layer that is, and its dev accuracy."""
    tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer_path))
    tokenizer.no_padding()
    model = transformers.AutoModel.from_pretrained(exported).eval()
    sets = {}
    for split in ("train", "dev", "test"):
        texts, labels = read_task(split)
        sets[split] = features(model, tokenizer, texts).double(), labels
    best = (-1.0, 0, None)
    for layer in range(len(sets["dev"][0])):
        predict = fit(sets["train"][0][layer], sets["train"][1])
        dev = (predict(sets["dev"][0][layer]) == sets["dev"][1]).double().mean().item()
        if dev > best[0]:
            best = dev, layer, predict
    dev, layer, predict = best
    test = (predict(sets["test"][0][layer]) == sets["test"][1]).double().mean().item()
    return {"test": 100 * test, "layer": layer, "dev": 100 * dev}


def last_line(run, phase):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["phase"] == phase][-1]


def print_table(scores, arms, seeds):
    print("| arm | seeds | SST-2 test, mean | spread | layers | steps | FLOP |\n|---|---|---|---|---|---|---|")
    for arm in arms:
        done = [scores[f"{arm}-{seed}"] for seed in seeds if f"{arm}-{seed}" in scores]
        if not done:
            continue
        tests = [score["test"] for score in done]
        spread = f"{statistics.stdev(tests):.2f}" if len(tests) > 1 else "-"
        layers = ", ".join(str(score["layer"]) for score in done)
        print(f"| {arm} | {len(done)} | {statistics.mean(tests):.2f} | {spread} | {layers} | "
              f"{done[0]['steps']} | {done[0]['flops']:.2e} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--flops", type=float, default=1.5e13, help="budget of each run")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--vocabulary", type=int, default=8192)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--arms", default=",".join(ARMS), help="some of them")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {"flops": options.flops, "vocabulary": options.vocabulary}
    kept, path = options.out / "settings.json", options.out / "scores.json"
    if kept.exists() and json.loads(kept.read_text()) != settings:
        sys.exit(f"{kept}: OUT was begun with other settings. Choose another OUT")
    kept.write_text(json.dumps(settings))
    build_corpus(options.out, options.vocabulary)
    scores = json.loads(path.read_text()) if path.exists() else {}
    arms, seeds = options.arms.split(","), range(1, options.seeds + 1)
    for seed in seeds:  # a whole comparison each, so that a stop leaves fewer seeds, not fewer arms
        for arm in arms:
            name = f"{arm}-{seed}"
            if name in scores:
                continue
            run, exported = train(options.out, arm, seed, options.flops, options.threads)
            line = last_line(run, "train")
            scores[name] = {**read_out(exported, options.out / "wordpiece.tokenizer.json"),
                            "steps": line["step"], "flops": line["flops"],
                            "parts": last_line(run, "eval")["parts"]}
            path.with_suffix(".new").write_text(json.dumps(scores, indent=1))
            os.replace(path.with_suffix(".new"), path)
            print(f"{name}: {scores[name]}", file=sys.stderr, flush=True)
            shutil.rmtree(run / "checkpoints", ignore_errors=True)
    print_table(scores, arms, seeds)


if __name__ == "__main__":
    main()
