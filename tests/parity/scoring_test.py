"""What score and generate print, for each family, against the same numbers made by transformers from
the exported model: log-likelihoods, pseudo-log-likelihoods, replaced tokens, masked places, beams."""

import re
import unittest

import torch
import torch.nn.functional as F
import transformers

import families_test
from families_test import load, runs

BOUND = 2e-4  # four decimals are printed
# Name: special tokens, model, objective.
FAMILIES = {
    "gpt2": ("", "name: gpt2", "name: causal_lm"),
    "llama": ("", "name: llama, kv_heads: 2", "name: causal_lm"),
    "bert": ("bert", "name: bert", "name: masked_lm"),
    "electra": ("bert", "name: electra, embedding_size: 24, generator: {size: 0.5}",
                "name: replaced_token_detection"),
    "t5": ("t5", "name: t5", "name: span_corruption"),
}
CONFIG = """\
run: {threads: 1}
data: {sequence_length: 64, sources: [{path: CORPUS}]}
model: {MODEL, layers: 2, hidden: 48, heads: 4}
objective: {OBJECTIVE}
optimizer: {name: adamw, lr: 3.0e-3}
train: {duration: {steps: 60}, global_batch_sequences: 8, micro_batch: 8}
precision: {compute: fp32}
eval: {at_start: false, at_end: false}
logging: {console: none, peak_flops: 1.0e+12, tensorboard: false}
"""


class ScoringTest(families_test.ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        torch.set_num_threads(1)
        text = cls.folder / "text.txt"
        text.write_text(runs.make_text(seed=3, documents=60))
        cls.text = text.read_text()[:40].strip()
        for special in ("", "bert", "t5"):
            marks = ["--special", special] if special else []
            cls.run_ok("corpus", "build", cls.folder / f"text{special}.h5", "--tokenizer", "byte",
                       *marks, text)

    def trained(self, family):
        """A run and its model in transformers; its tokenizer from now on."""
        hf = self.folder / f"{family}-hf"
        main = hf / "discriminator" if family == "electra" else hf
        if not hf.exists():
            self.train(family, hf)
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(main)
        return self.folder / family, load(main)

    def train(self, family, hf):
        special, model, objective = FAMILIES[family]
        config = self.folder / f"{family}.yaml"
        config.write_text(CONFIG.replace("CORPUS", f"text{special}.h5").replace("MODEL", model)
                          .replace("OBJECTIVE", objective))
        self.run_ok(config, f"run.dir={self.folder / family}")
        self.run_ok("export", self.folder / family, hf)

    def ids(self, text):
        return self.tokenizer(text, add_special_tokens=False).input_ids

    def assert_printed(self, pattern, output, expected):
        found = re.search(pattern, output)
        self.assertTrue(found, output)
        self.assertLessEqual(abs(float(found[1]) - expected), BOUND, output)

    def test_decoders(self):
        for family in ("gpt2", "llama"):
            run, model = self.trained(family)
            for context in ("", "and so "):
                before = self.ids(context) or [self.tokenizer.eos_token_id]
                ids = torch.tensor([before + self.ids(self.text)])
                with torch.no_grad():
                    logs = model(ids).logits.log_softmax(-1)[0, :-1]
                nats = logs.gather(1, ids[0, 1:, None])[len(before) - 1:].sum().item()
                printed = self.run_ok("score", run, self.text, "--context", context)
                self.assert_printed(r"^log-likelihood (-[\d.]+) nats", printed, nats)
                bits = -nats / torch.log(torch.tensor(2.0)).item() / len(self.text.encode())
                self.assert_printed(r"([\d.]+) bits per byte", printed, bits)

    def test_an_encoder_masks_each_token_in_turn(self):
        run, model = self.trained("bert")
        ids = self.tokenizer(self.text).input_ids
        rows = torch.tensor([ids] * (len(ids) - 2))
        at = torch.arange(len(rows))
        rows[at, at + 1] = self.tokenizer.mask_token_id
        with torch.no_grad():
            logs = model(rows).logits[at, at + 1].log_softmax(-1)
        nats = logs[at, torch.tensor(ids)[1:-1]].sum().item()
        self.assert_printed(r"^pseudo-log-likelihood (-[\d.]+) nats", self.run_ok("score", run, self.text),
                            nats)

    def test_an_encoder_fills_masked_places(self):
        run, model = self.trained("bert")
        prompt = f"{self.text[:5]}[MASK]{self.text[6:12]}[MASK]{self.text[13:]}"
        ids = torch.tensor([self.tokenizer(prompt).input_ids])
        with torch.no_grad():
            chances = model(ids).logits[0].softmax(-1)
        printed = self.run_ok("generate", run, "--prompt", prompt, "--candidates", "3")
        lines = re.findall(r"^place \d+:.*$", printed, re.M)
        places = (ids[0] == self.tokenizer.mask_token_id).nonzero().flatten()
        self.assertEqual(len(lines), len(places))
        for line, place in zip(lines, places):
            found = [float(chance) for chance in re.findall(r'" ([\d.]+)', line)]
            expected = chances[place].topk(3).values.tolist()
            for mine, theirs in zip(found, expected, strict=True):
                self.assertLessEqual(abs(mine - theirs), BOUND, line)

    def test_electra_tells_replaced_tokens(self):
        run, model = self.trained("electra")
        ids = torch.tensor([self.tokenizer(self.text).input_ids])
        with torch.no_grad():
            logits = model(ids).logits[0, 1:-1]
        printed = self.run_ok("score", run, self.text)
        found = [float(chance) for chance in re.findall(r"^([\d.]+)  ", printed, re.M)]
        for mine, theirs in zip(found, logits.sigmoid().tolist(), strict=True):
            self.assertLessEqual(abs(mine - theirs), BOUND)
        self.assert_printed(r"nothing replaced\) (-[\d.]+) nats", printed,
                            F.logsigmoid(-logits).sum().item())

    def test_an_encoder_decoder_answers(self):
        run, model = self.trained("t5")
        source, target = f"{self.text[:9]}<extra_id_0>{self.text[14:]}", f"<extra_id_0>{self.text[9:14]}"
        end = self.tokenizer.eos_token_id
        inputs, labels = torch.tensor([self.ids(source) + [end]]), torch.tensor([self.ids(target) + [end]])
        with torch.no_grad():
            nats = -model(input_ids=inputs, labels=labels).loss.item() * labels.numel()
        printed = self.run_ok("score", run, target, "--context", source)
        self.assert_printed(r"^log-likelihood (-[\d.]+) nats", printed, nats)
        tokens = 10
        theirs = model.generate(inputs, num_beams=4, num_return_sequences=4, max_new_tokens=tokens,
                                early_stopping=False, length_penalty=1.0, do_sample=False,
                                output_scores=True, return_dict_in_generate=True)
        printed = self.run_ok("generate", run, "--prompt", source, "--beams", "4", "--tokens", tokens)
        found = [float(score) for score in re.findall(r"^(-[\d.]+)  ", printed, re.M)]
        for mine, score in zip(found, theirs.sequences_scores.tolist(), strict=True):
            self.assertLessEqual(abs(mine - score), BOUND, printed)


if __name__ == "__main__":
    unittest.main()
