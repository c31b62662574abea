"""Every family against its class in transformers: logits and gradients from the same weights, and the
losses of 30 AdamW steps on the batches that our objectives prepared."""

import json
import os
import pathlib
import sys
import tempfile
import unittest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import numpy
import safetensors.torch
import torch
import torch.nn.functional as F
import transformers

import runs

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
STEPS = 30
BF16_BOUND = 2e-2  # of a logit, relative to the largest one if that is above 1; of a loss

COMMON = """\
run: {threads: 1}
data: {sequence_length: 24, sources: [{path: CORPUS}]}
model: {MODEL, layers: 2, hidden: 48, heads: 4, pad_vocab_to: 1}
objective: {OBJECTIVE}
optimizer: {name: adamw, lr: 1.0e-3, weight_decay: 0.1, clip_norm: 0, eps: 1.0e-6}
schedule: {name: constant, warmup: {steps: 0}}
train: {duration: {steps: 30}, global_batch_sequences: 8, micro_batch: 8}
precision: {compute: fp32}
checkpoint: {every: {steps: 1000}}
eval: {at_start: false, at_end: false}
logging: {every: {steps: 1}, console: none, peak_flops: 1.0e+12, tensorboard: false}
debug: {dump_batches: [1, 30]}
"""

# Name: special tokens, model, objective.
FAMILIES = {
    "gpt1": ("", "name: gpt1", "name: causal_lm"),
    "gpt2": ("", "name: gpt2", "name: causal_lm"),
    "prefix": ("", "name: gpt2", "name: prefix_lm"),
    "llama": ("", "name: llama, kv_heads: 2, ffn: 80", "name: causal_lm"),
    "bert": ("bert", "name: bert, pooler: true", "name: masked_lm, next_sentence: true"),
    "roberta": ("bert", "name: roberta", "name: masked_lm"),
    "electra": ("bert", "name: electra, embedding_size: 24, generator: {size: 0.5, layers: 1}",
                "name: replaced_token_detection"),
    "t5": ("t5", "name: t5", "name: span_corruption"),
    "t5_11": ("t5", "name: t5, activation: geglu, tie_embeddings: false, decoder_layers: 1, "
              "init: normal",
              "name: span_corruption"),
}


def load(folder):
    """The transformers model of an exported directory; every key must find its place."""
    name = json.loads((folder / "config.json").read_text())["architectures"][0]
    model, info = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
    wrong = {key: value for key, value in info.items() if value}
    if wrong:
        raise AssertionError(f"{folder}: {wrong}")
    return model.eval()


class Reference:
    """The losses of a batch by transformers."""

    def __init__(self, family, folder):
        self.family = family
        self.tie = False  # a draw fell so near the border of two tokens that rounding decides it
        if family == "electra":
            self.main, self.generator = load(folder / "discriminator"), load(folder / "generator")
            self.generator.electra.embeddings = self.main.electra.embeddings
            self.generator.generator_lm_head.weight = self.main.electra.embeddings.word_embeddings.weight
            self.models = [self.main, self.generator]
            # The generator may draw the padding token, which is a row of the table like any other;
            # transformers would give it no gradient.
            self.main.electra.embeddings.word_embeddings.padding_idx = None
        else:
            self.main = load(folder)
            self.models = [self.main]

    def logits(self, model, inputs, **more):
        if self.family == "roberta":
            more["position_ids"] = torch.arange(inputs.shape[1]).expand_as(inputs) + self.offset()
        return model(input_ids=inputs, **more)

    def offset(self):
        return self.main.config.pad_token_id + 1

    def losses(self, batch):
        """Mean of each term."""
        inputs = batch["inputs"]
        rows = batch.get("target_rows")
        targets = batch["targets"].flatten()
        if self.family.startswith("t5"):
            decoder = batch["decoder"].view(len(inputs), -1)
            logits = self.main(input_ids=inputs, decoder_input_ids=decoder).logits
            return [F.cross_entropy(logits.flatten(0, 1), targets)]
        if self.family == "electra":
            return self.electra_losses(inputs, rows, targets, batch["noise"])
        if self.family == "bert":
            out = self.main(input_ids=inputs, token_type_ids=batch["segments"].view_as(inputs))
            return [F.cross_entropy(out.prediction_logits.flatten(0, 1)[rows], targets),
                    F.cross_entropy(out.seq_relationship_logits, batch["labels"])]
        more = {}
        if self.family == "prefix":
            length = inputs.shape[1]
            seen = torch.ones(length, length, dtype=torch.bool).tril().repeat(len(inputs), 1, 1, 1)
            for row, prefix in enumerate(batch["prefixes"].tolist()):
                seen[row, :, :prefix, :prefix] = True
            more["attention_mask"] = torch.zeros(seen.shape).masked_fill(~seen, -1e30)
        logits = self.logits(self.main, inputs, **more).logits.flatten(0, 1)
        return [F.cross_entropy(logits if rows is None else logits[rows], targets)]

    def electra_losses(self, inputs, rows, targets, noise):
        logits = self.generator(input_ids=inputs).logits.flatten(0, 1)[rows]
        cumulative = logits.detach().softmax(-1).cumsum(-1)
        drawn = noise[:, None] * cumulative[:, -1:]
        samples = torch.searchsorted(cumulative, drawn, right=True).squeeze(1)
        self.tie |= bool((cumulative - drawn).abs().min() < 2e-6)
        tokens = inputs.flatten().clone()
        tokens[rows] = samples
        replaced = torch.zeros(len(tokens))
        replaced[rows] = (samples != targets).float()
        found = self.main(input_ids=tokens.view_as(inputs)).logits.flatten()
        return [F.cross_entropy(logits, targets),
                F.binary_cross_entropy_with_logits(found, replaced)]


def config_text(corpus, model, objective):
    return (COMMON.replace("CORPUS", corpus).replace("MODEL", model)
            .replace("OBJECTIVE", objective))


class ProgramTest(unittest.TestCase):
    """Runs of the program, and the same steps by transformers."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="pretrain-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.figures = []

    @classmethod
    def tearDownClass(cls):
        for line in cls.figures:
            print(line, file=sys.stderr)

    @classmethod
    def run_ok(cls, *words, ranks=1):
        done = runs.run_program(*words, ranks=ranks)
        if done.returncode != 0:
            raise AssertionError(f"{words}: {done.stderr}")
        return done.stdout

    def batch(self, run, step):
        dump = run / "dumps" / f"step-{step:08d}-rank-00000.safetensors"
        tensors = {}
        for name, value in safetensors.numpy.load_file(dump).items():
            if not name.startswith("gradient/"):
                tensors[name] = torch.from_numpy(numpy.array(value))
        return tensors

    def compare_losses(self, reference, run, rate):
        """The largest difference of a term in all steps of a run. The first weight of ELECTRA's two
        terms is 1, of the second 50."""
        parameters = list({id(p): p for model in reference.models
                           for p in model.parameters()}.values())
        optimizer = torch.optim.AdamW(
            [{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.1},
             {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}],
            lr=rate, betas=(0.9, 0.95), eps=1e-6)
        lines = [line for line in runs.read_lines(run / "metrics.jsonl") if line["phase"] == "train"]
        self.assertEqual(len(lines), STEPS)
        worst = 0.0
        for number, line in enumerate(lines, 1):
            losses = reference.losses(self.batch(run, number))
            names = terms_of(line["parts"])
            self.assertEqual(len(names), len(losses))
            for name, theirs in zip(names, losses):
                difference = abs(line["parts"][name] - theirs.item())
                self.assertLessEqual(difference, 5e-3 if reference.tie else 1e-4, name)
                worst = max(worst, 0.0 if reference.tie else difference)
            optimizer.zero_grad()
            weights = [1.0, 50.0] if "discriminator" in names else [1.0, 1.0]
            sum(weight * loss for weight, loss in zip(weights, losses)).backward()
            optimizer.step()
        return worst


def terms_of(parts):
    """Names of the terms in the order of the objective."""
    order = ("lm", "mlm", "next_sentence", "sentence_order", "generator", "discriminator")
    return [name for name in order if name in parts]


class FamiliesTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        text = cls.folder / "text.txt"
        text.write_text(runs.make_text(seed=3, documents=60))
        for special in ("", "bert", "t5"):
            words = ["--special", special] if special else []
            cls.run_ok("corpus", "build", cls.folder / f"text{special}.h5", "--tokenizer", "byte",
                       *words, text)

    def test_every_family(self):
        for family in FAMILIES:
            with self.subTest(family):
                self.compare(family)

    def compare(self, family):
        special, model, objective = FAMILIES[family]
        config = self.folder / f"{family}.yaml"
        config.write_text(config_text(f"text{special}.h5", model, objective))
        start, step, run = (self.folder / f"{family}-{name}" for name in ("start", "step", "run"))
        self.run_ok(config, f"run.dir={start}", "train.duration={steps: 1}", "optimizer.lr=0",
                    "debug.dump_batches=[]")
        self.run_ok(config, f"run.dir={step}", "train.duration={steps: 1}", "optimizer.name=sgd",
                    "~optimizer.eps", "optimizer.momentum=0", "optimizer.lr=1",
                    "optimizer.weight_decay=0")
        self.run_ok(config, f"run.dir={run}")
        self.run_ok("export", start, self.folder / f"{family}-hf", "--probes", f"{family}.probes")
        self.run_ok("export", step, self.folder / f"{family}-hf1")
        logits = self.compare_logits(family)
        gradient = self.compare_gradients(family, self.batch(step, 1))
        loss = self.compare_losses(Reference(family, self.folder / f"{family}-hf"), run, 1e-3)
        self.compare_bf16(family, config, start)
        self.figures.append(f"families_test: {family}: largest difference of a logit {logits:.1e}, of a "
                            f"gradient (relative) {gradient:.1e}, of a loss in 30 steps {loss:.1e}")

    def compare_bf16(self, family, config, start):
        """The same weights with bf16 products against fp32: logits, and the first step's losses."""
        run, name = self.folder / f"{family}-bf16", f"{family}-bf16.probes"
        self.run_ok("export", start, self.folder / f"{family}-hf16", "--probes", name, "--probe-type",
                    "bf16")
        logit = self.compare_logits(family, name, BF16_BOUND)
        self.assertGreater(logit, 1e-5, "products are those of fp32")
        self.run_ok(config, f"run.dir={run}", "train.duration={steps: 1}", "optimizer.lr=0",
                    "precision.compute=bf16")
        reference = Reference(family, self.folder / f"{family}-hf")
        with torch.no_grad():
            theirs = reference.losses(self.batch(run, 1))
        line = next(line for line in runs.read_lines(run / "metrics.jsonl") if line["phase"] == "train")
        # ELECTRA's samples near the border of two tokens are other ones, so its second term is of
        # another input; its main network is compared by its logits.
        names = terms_of(line["parts"])[:1] if family == "electra" else terms_of(line["parts"])
        loss = max(abs(line["parts"][name] - value.item()) for name, value in zip(names, theirs))
        self.assertLessEqual(loss, BF16_BOUND, family)
        self.figures.append(f"families_test: {family}: bf16: largest difference of a logit {logit:.1e}, "
                            f"of a loss {loss:.1e}")

    def compare_logits(self, family, probes=None, bound=1e-5):
        reference = Reference(family, self.folder / f"{family}-hf")
        probes = probes or f"{family}.probes"
        worst = 0.0
        for model in reference.models:
            part = ""
            if family == "electra":
                part = "discriminator-" if model is reference.main else "generator-"
            probe = safetensors.torch.load_file(self.folder / f"{part}{probes}")
            largest = max(1.0, probe["logits"].abs().max().item()) if bound > 1e-5 else 1.0
            at = 0
            with torch.no_grad():
                for row, length in enumerate(probe["lengths"].tolist()):
                    inputs = probe["inputs"][row:row + 1, :length]
                    more = {"decoder_input_ids": inputs} if family.startswith("t5") else {}
                    out = reference.logits(model, inputs, **more)
                    theirs = (out.prediction_logits if family == "bert" else out.logits)[0]
                    ours = probe["logits"][at:at + len(theirs)]
                    at += len(theirs)
                    worst = max(worst, (ours - theirs).abs().max().item() / largest)
            self.assertEqual(at, len(probe["logits"]))
        self.assertLessEqual(worst, bound, family)
        return worst

    def weights(self, folder):
        return {f"{path.parent.name}/{name}": value
                for path in sorted(folder.rglob("model.safetensors"))
                for name, value in safetensors.torch.load_file(path).items()}

    def compare_gradients(self, family, batch):
        """One SGD step of rate 1 moves each weight by its gradient."""
        before = self.weights(self.folder / f"{family}-hf")
        after = self.weights(self.folder / f"{family}-hf1")
        reference = Reference(family, self.folder / f"{family}-hf")
        weights = [1.0, 50.0] if family == "electra" else [1.0, 1.0]
        losses = reference.losses(batch)
        sum(weight * loss for weight, loss in zip(weights, losses)).backward()
        worst = 0.0
        folders = {"electra": ["discriminator", "generator"]}.get(family, [f"{family}-hf"])
        for model, folder in zip(reference.models, folders):
            gradients = {name: p.grad for name, p in model.named_parameters(remove_duplicate=False)}
            other = {"electra": folder}.get(family, f"{family}-hf1")
            for key, value in before.items():
                owner, name = key.split("/", 1)
                if owner != folder:
                    continue
                ours = value - after[f"{other}/{name}"]
                theirs = gradients[name]
                theirs = torch.zeros_like(ours) if theirs is None else theirs
                scale = max(theirs.norm().item(), 1e-3 * value.norm().item(), 1e-6)
                worst = max(worst, (ours - theirs).norm().item() / scale)
                self.assertLessEqual((ours - theirs).norm().item() / scale, 1e-4, f"{family}: {key}")
        return worst


if __name__ == "__main__":
    unittest.main()
