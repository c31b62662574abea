"""Training with the program and with plain PyTorch from the same weights on the same batches."""

import json
import math
import pathlib
import random
import sys
import tempfile
import unittest

import torch
from safetensors.torch import load_file

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from gpt2_twin import Gpt2
from program import metrics, pretrain

LAYERS, WIDTH, HEADS, LENGTH, SEQUENCES = 4, 128, 4, 64, 12
VOCAB_SIZE = 257  # of the byte tokenizer; the table's rows are a multiple of 64
VOCAB_ROWS = 320
PREFIX = "model."  # what the objective puts before the model's names
STEPS, WARMUP, MIN_LR_RATIO, WEIGHT_DECAY = 50, 10, 0.1, 0.1
# 1e-3 moves weights of std 0.02 by 5 % a step: once only letters and blanks are left to tell apart,
# that overshoots, in plain PyTorch too (loss 3.2 to 4.4 in one step, gradient norm 350).
LR = 5e-4

CONFIG = f"""
data: {{sequence_length: {LENGTH}, sources: [{{path: text.h5}}]}}
model: {{name: gpt2, layers: {LAYERS}, hidden: {WIDTH}, heads: {HEADS}}}
optimizer: {{weight_decay: {WEIGHT_DECAY}, clip_norm: 1.0}}
schedule: {{warmup: {{steps: {WARMUP}}}, min_lr_ratio: {MIN_LR_RATIO}}}
train: {{duration: {{steps: 0}}, global_batch_sequences: {SEQUENCES}}}
logging: {{every: {{steps: 1}}}}
"""


def random_text():
    choose = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(choose.choices(letters, k=choose.randrange(2, 9))) for _ in range(300)]
    return "\n\n".join(" ".join(choose.choices(words, k=60)) for _ in range(600))


def learning_rate(schedule, peak, step, steps):
    if step <= WARMUP:
        return peak * step / WARMUP
    done = (step - WARMUP) / (steps - WARMUP)
    shape = {"cosine": (1 + math.cos(math.pi * done)) / 2, "linear": 1 - done}[schedule]
    return peak * (MIN_LR_RATIO + (1 - MIN_LR_RATIO) * shape)


def read_checkpoint(run_dir, step):
    """Weights by the twin's names. Of several ranks each wrote pieces, NAME@begin:end, flat."""
    folder = run_dir / "checkpoints" / f"step-{step:08d}"
    pieces = {}
    for path in sorted(folder.glob("model-*.safetensors")):
        for key, tensor in load_file(path).items():
            name, _, place = key.removeprefix(PREFIX).partition("@")
            begin = int(place.split(":")[0] or 0)
            pieces.setdefault(name, []).append((begin, tensor.flatten()))
    shapes = json.loads((folder / "manifest.json").read_text())["tensors"]
    return {name: torch.cat([part for _, part in sorted(parts, key=lambda piece: piece[0])])
                  .view(shapes[PREFIX + name]["shape"]) for name, parts in pieces.items()}


def read_dump(run_dir, step, ranks):
    """Inputs and targets of the global batch, and its gradient by the twin's names."""
    parts = [load_file(run_dir / "dumps" / f"step-{step:08d}-rank-{rank:05d}.safetensors")
             for rank in range(ranks)]
    start = "gradient/" + PREFIX
    gradient = {name.removeprefix(start): tensor for name, tensor in parts[0].items()
                if name.startswith(start)}
    inputs, targets = (torch.cat([part[name] for part in parts]) for name in ("inputs", "targets"))
    return inputs, targets, gradient


class AdamW:
    """torch's, with decay on matrices alone."""

    def __init__(self, parameters):
        groups = [{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": WEIGHT_DECAY},
                  {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.95), eps=1e-8)

    def step(self, lr):
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()


class Sgd:
    """torch's with momentum; the decay, which there would go through the momentum, by hand."""

    def __init__(self, parameters):
        self.matrices = [p for p in parameters if p.dim() >= 2]
        self.optimizer = torch.optim.SGD(parameters, lr=0.0, momentum=0.9)

    def step(self, lr):
        with torch.no_grad():
            for matrix in self.matrices:
                matrix *= 1 - lr * WEIGHT_DECAY
        self.optimizer.param_groups[0]["lr"] = lr
        self.optimizer.step()


class Gpt2TrainingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)  # the matrices are small
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        (cls.folder / "text.txt").write_text(random_text())
        (cls.folder / "gpt2.yaml").write_text(CONFIG)
        pretrain("corpus", "build", cls.folder / "text.h5", "--tokenizer", "byte",
                 "--valid-fraction", "0", cls.folder / "text.txt")

    def train(self, name, optimizer, schedule, lr, steps, compute="fp32", micro_batch=SEQUENCES,
              ranks=1):
        """Largest differences between the program's run and the twin's; see the assertions."""
        run_dir = self.folder / name
        words = [self.folder / "gpt2.yaml", f"run.dir={run_dir}", f"optimizer.name={optimizer}",
                 f"optimizer.lr={lr}", f"schedule.name={schedule}", f"precision.compute={compute}",
                 f"train.micro_batch={micro_batch}"]
        pretrain(*words)  # 0 steps: writes the initial weights, the next start takes them up
        pretrain(*words, f"train.duration={{steps: {steps}}}", f"debug.dump_batches=[1, {steps}]",
                 ranks=ranks)
        twin = Gpt2(LAYERS, WIDTH, HEADS, LENGTH, VOCAB_SIZE, VOCAB_ROWS)
        twin.load_state_dict(read_checkpoint(run_dir, 0))
        update = {"adamw": AdamW, "sgd": Sgd}[optimizer](list(twin.parameters()))
        lines = metrics(run_dir, "train")
        self.assertEqual([line["step"] for line in lines], list(range(1, steps + 1)))

        loss_difference, gradient_difference = [], []
        for line in lines:
            inputs, targets, gradient = read_dump(run_dir, line["step"], ranks)
            self.assertEqual(tuple(inputs.shape), (SEQUENCES, LENGTH))
            loss = twin.loss(inputs, targets)
            twin.zero_grad()
            loss.backward()
            loss_difference.append(abs(loss.item() - line["loss"]))
            gradient_difference.append(max(
                float((gradient[parameter] - p.grad).norm() / p.grad.norm())
                for parameter, p in twin.named_parameters()))
            norm = torch.nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
            self.assertLess(norm.item(), 10)  # in a spike no difference is small
            if compute == "fp32":
                self.assertAlmostEqual(line["grad_norm"] / norm.item(), 1, delta=1e-3)
            rate = learning_rate(schedule, lr, line["step"], steps)
            self.assertAlmostEqual(line["lr"] / rate, 1, places=9)
            update.step(rate)
        final = read_checkpoint(run_dir, steps)
        weight_difference = max(float((final[parameter] - p).abs().max().detach())
                                for parameter, p in twin.named_parameters())
        print(f"\n  {name}: loss {lines[0]['loss']:.4f} to {lines[-1]['loss']:.4f}; largest "
              f"difference of loss {max(loss_difference):.1e}, at the last step "
              f"{loss_difference[-1]:.1e}; relative of a gradient in step 1 "
              f"{gradient_difference[0]:.1e}, in all steps {max(gradient_difference):.1e}; of a "
              f"final weight {weight_difference:.1e}", flush=True)
        self.assertLess(lines[-1]["loss"], lines[0]["loss"] - 1)  # it learned
        return loss_difference, gradient_difference, weight_difference

    def assert_equal_training(self, *arguments, **options):
        loss_difference, gradient_difference, weight_difference = self.train(*arguments, **options)
        self.assertLessEqual(max(loss_difference), 1e-5)
        self.assertLessEqual(gradient_difference[0], 1e-5)
        self.assertLessEqual(max(gradient_difference), 1e-3)
        self.assertLessEqual(weight_difference, 1e-5)

    def test_adamw(self):
        self.assert_equal_training("adamw", "adamw", "cosine", LR, STEPS)

    def test_sgd(self):
        self.assert_equal_training("sgd", "sgd", "linear", 0.1, 20)

    def test_two_ranks_with_accumulation_3(self):
        self.assert_equal_training("two_ranks", "adamw", "cosine", LR, STEPS, micro_batch=2,
                                   ranks=2)

    def test_bf16_against_fp32(self):
        loss_difference, _, _ = self.train("bf16", "adamw", "cosine", LR, STEPS, compute="bf16")
        self.assertLessEqual(max(loss_difference), 0.02)


if __name__ == "__main__":
    unittest.main()
