"""Objectives beyond the first of each family, and packed rows: the losses of 30 AdamW steps against
transformers, which gets the sequences of our batches one below the other, padded and masked."""

import random
import unittest

import torch
import torch.nn.functional as F

import families_test
from families_test import load, runs

torch.set_num_threads(1)  # the products are small
LENGTH = 48
NO_TARGET = -100
ELECTRA = "name: electra, embedding_size: 24, generator: {size: 0.5, layers: 1}"
RTD = "name: replaced_token_detection"

# Name: special tokens, model, objective, more overrides.
CASES = {
    "causal, packed": ("", "name: gpt2", "name: causal_lm", "data.packing=best_fit"),
    "causal, llama, packed": ("", "name: llama, kv_heads: 2, ffn: 80", "name: causal_lm",
                              "data.packing=first_fit"),
    "causal, smoothed": ("", "name: gpt2", "name: causal_lm, label_smoothing: 0.1, z_loss: 1.0e-3"),
    "prefix, packed": ("", "name: gpt2", "name: prefix_lm", "data.packing=first_fit"),
    "prefix, t5": ("t5", "name: t5", "name: prefix_lm"),
    "middle": ("fim", "name: gpt2", "name: fill_in_middle"),
    "masked, packed": ("bert", "name: roberta", "name: masked_lm", "data.packing=best_fit"),
    "masked, documents": ("bert", "name: bert", "name: masked_lm", "data.document_mask=true"),
    "sentence order": ("bert", "name: bert, pooler: true", "name: masked_lm, sentence_order: true"),
    "spans, gpt2": ("t5", "name: gpt2", "name: span_corruption"),
    "spans, t5, packed": ("t5", "name: t5", "name: span_corruption", "data.packing=best_fit"),
    "single tokens": ("t5", "name: t5", "name: span_corruption, variant: iid"),
    "deshuffle": ("t5", "name: t5", "name: span_corruption, variant: deshuffle"),
    "infilling": ("t5", "name: t5", "name: span_corruption, variant: infilling"),
    "replaced, packed": ("bert", ELECTRA, RTD, "data.packing=best_fit", "optimizer.lr=2e-4",
                         "run.seed=2"),
    "replaced, masked only": ("bert", ELECTRA, f"{RTD}, variant: electra_15", "optimizer.lr=2e-4"),
    "replaced, uniform": ("bert", ELECTRA, f"{RTD}, replacement: uniform"),
}


class Padded:
    """A batch's sequences as rows of one width, and the way back."""

    def __init__(self, tokens, lengths):
        self.lengths = lengths.tolist()
        self.rows = torch.nn.utils.rnn.pad_sequence(tokens.flatten().split(self.lengths),
                                                    batch_first=True)
        self.real = torch.arange(self.rows.shape[1]) < lengths[:, None]  # [sequences, width]

    def like(self, tokens):
        return torch.nn.utils.rnn.pad_sequence(tokens.split(self.lengths), batch_first=True)

    def flat(self, values):
        """[sequences, width, ...] to [positions, ...]."""
        return values[self.real]

    def seen(self, prefixes):
        """Additive mask [sequences, 1, width, width] of decoders: causal, prefixes both ways."""
        width = self.rows.shape[1]
        seen = torch.ones(width, width, dtype=torch.bool).tril().repeat(len(self.rows), 1, 1)
        for row, prefix in enumerate(prefixes):
            seen[row, :prefix, :prefix] = True
        seen &= self.real[:, None] | torch.eye(width, dtype=torch.bool)
        return torch.zeros(seen.shape).masked_fill(~seen, -1e30)[:, None]


class Reference:
    def __init__(self, case, folder):
        _, model, self.objective, *_ = CASES[case]
        self.kind = model.split(",")[0].removeprefix("name: ")
        self.tie = False
        self.main = load(folder / "discriminator" if self.kind == "electra" else folder)
        self.models = [self.main]
        if self.kind == "electra":
            self.generator = load(folder / "generator")
            table = self.main.electra.embeddings
            self.generator.electra.embeddings = table
            self.generator.generator_lm_head.weight = table.word_embeddings.weight
            table.word_embeddings.padding_idx = None  # a row like any other, which may be drawn
            self.models.append(self.generator)

    def losses(self, batch):
        inputs = Padded(batch["inputs"], batch["lengths"])
        rows, targets = batch.get("target_rows"), batch["targets"].flatten()
        if self.kind == "electra":
            return self.electra_losses(inputs, rows, targets, batch["noise"])
        mask = inputs.real.long()
        if self.kind == "t5":
            decoder = Padded(batch["decoder"], batch["decoder_lengths"])
            out = self.main(input_ids=inputs.rows, attention_mask=mask, decoder_input_ids=decoder.rows)
            return [F.cross_entropy(decoder.flat(out.logits), targets)]
        if self.kind in ("gpt2", "llama"):
            seen = inputs.seen(batch["prefixes"].tolist() if "prefixes" in batch else [])
            logits = inputs.flat(self.main(input_ids=inputs.rows, attention_mask=seen).logits)
        elif self.kind == "roberta":
            places = torch.arange(inputs.rows.shape[1]) + self.main.config.pad_token_id + 1
            logits = inputs.flat(self.main(input_ids=inputs.rows, attention_mask=mask,
                                           position_ids=places.expand_as(inputs.rows)).logits)
        elif "segments" in batch:
            out = self.main(input_ids=inputs.rows, attention_mask=mask,
                            token_type_ids=inputs.like(batch["segments"]))
            return [F.cross_entropy(inputs.flat(out.prediction_logits)[rows], targets),
                    F.cross_entropy(out.seq_relationship_logits, batch["labels"])]
        else:
            logits = inputs.flat(self.main(input_ids=inputs.rows, attention_mask=mask).logits)
        return [self.cross_entropy(logits if rows is None else logits[rows], targets)]

    def cross_entropy(self, logits, targets):
        if "z_loss" not in self.objective:
            return F.cross_entropy(logits, targets, ignore_index=NO_TARGET)
        smooth = F.cross_entropy(logits, targets, ignore_index=NO_TARGET, label_smoothing=0.1)
        return smooth + 1e-3 * logits.logsumexp(-1)[targets != NO_TARGET].square().mean()

    def electra_losses(self, inputs, rows, targets, noise):
        mask = inputs.real.long()
        if "uniform" in self.objective:
            samples = (noise * self.main.config.vocab_size).long()
            first = torch.zeros(())
        else:
            out = self.generator(input_ids=inputs.rows, attention_mask=mask)
            logits = inputs.flat(out.logits)[rows]
            first = F.cross_entropy(logits, targets)
            cumulative = logits.detach().softmax(-1).cumsum(-1)
            drawn = noise[:, None] * cumulative[:, -1:]
            samples = torch.searchsorted(cumulative, drawn, right=True).squeeze(1)
            # Rounding decides a draw that falls so near the border of two tokens.
            self.tie |= bool((cumulative - drawn).abs().min() < 2e-6)
        tokens = inputs.flat(inputs.rows).index_copy(0, rows, samples)
        found = inputs.flat(self.main(input_ids=inputs.like(tokens), attention_mask=mask).logits)
        replaced = torch.zeros(len(tokens)).index_copy(0, rows, (samples != targets).float())
        if "electra_15" in self.objective:
            found, replaced = found[rows], replaced[rows]
        return [first, F.binary_cross_entropy_with_logits(found, replaced)]


class ObjectivesTest(families_test.ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        draw, text = random.Random(4), cls.folder / "text.txt"
        words = runs.make_text(seed=3, documents=60).split()
        text.write_text("\n".join(" ".join(draw.sample(words, draw.randint(2, 14)))
                                  for _ in range(600)))
        for special in ("", "bert", "t5", "fim"):
            marks = ["--special", special] if special else []
            cls.run_ok("corpus", "build", cls.folder / f"text{special}.h5", "--tokenizer", "byte",
                       "--doc-sep", "line", *marks, text)

    def test_every_objective(self):
        for case in CASES:
            with self.subTest(case):
                self.compare(case)

    def compare(self, case):
        special, model, objective, *more = CASES[case]
        name = case.replace(", ", "-").replace(" ", "-")
        config = self.folder / f"{name}.yaml"
        config.write_text(families_test.config_text(f"text{special}.h5", model, objective))
        more = (f"data.sequence_length={LENGTH}", *more)
        start, run, hf = (self.folder / f"{name}-{part}" for part in ("start", "run", "hf"))
        self.run_ok(config, f"run.dir={start}", *more, "train.duration={steps: 1}", "optimizer.lr=0")
        self.run_ok(config, f"run.dir={run}", *more)
        self.run_ok("export", start, hf)
        rate = 2e-4 if "optimizer.lr=2e-4" in more else 1e-3
        worst = self.compare_losses(Reference(case, hf), run, rate)
        self.figures.append(f"objectives_test: {case}: largest difference of a loss {worst:.1e}")


if __name__ == "__main__":
    unittest.main()
