"""Each bad input ends with its exit code and one message that names the place, what was expected
and what to do; what existed before stays as it was."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

import h5py
import numpy

import runs


class BadInputTest(runs.RunTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.told = []  # what is printed for each
        cls.finished = cls.train(cls.folder / "finished", "train.duration={steps: 12}")

    @classmethod
    def tearDownClass(cls):
        print(f"bad_input_test: {cls.__name__}: {len(cls.told)} bad inputs, each with its code and "
              "one message:", file=sys.stderr)
        for words, message in cls.told:
            shown = message.replace(str(cls.folder), "DIR")
            print(f"  {words.replace(str(cls.folder), 'DIR')}\n      {shown}", file=sys.stderr)
        super().tearDownClass()

    def assert_told(self, code, parts, done, words):
        """One message, of at most 3 lines, with the exit code and all `parts`."""
        lines = done.stderr.splitlines()
        starts = [i for i, line in enumerate(lines) if line.startswith("pretrain: error ")]
        self.assertEqual(len(starts), 1, done.stderr)
        message = []
        for line in lines[starts[0]:]:
            if line.startswith("-----") or "mpi" in line.lower() and message:
                break  # what mpirun adds
            message.append(line)
        text = "\n".join(message)
        self.assertEqual(done.returncode, code, text)
        self.assertTrue(text.startswith(f"pretrain: error {code}: "), text)
        self.assertLessEqual(len(message), 3, text)
        for part in parts:
            self.assertIn(str(part), text)
        self.told.append((words, text))

    def refuse(self, code, parts, *overrides, ranks=1, run=None, config=None, env=None):
        """Training is refused. A run directory that existed is untouched, another is not made."""
        run = run or self.folder / "refused"
        before = runs.digests(run) if run.is_dir() else None
        words = [config or self.config, f"run.dir={run}", *overrides]
        done = runs.run_program(*words, ranks=ranks, env=env)
        self.assert_told(code, parts, done, " ".join(
            [f"mpirun -np {ranks}" if ranks > 1 else "", *map(str, overrides)]).strip() or str(run))
        if before is None:
            self.assertFalse(run.is_dir(), f"{run} was made")
        else:
            self.assertEqual(runs.digests(run), before)

    def refuse_command(self, code, parts, *words, **options):
        done = runs.run_program(*words, **options)
        self.assert_told(code, parts, done, " ".join(map(str, words)))

    def edited_config(self, old, new):
        path = self.folder / "edited.yaml"
        self.assertIn(old, runs.CONFIG)
        path.write_text(runs.CONFIG.replace(old, new))
        return path

    def copy_of_corpus(self, name):
        """The corpus with its sidecars under another name."""
        for end in ("h5", "manifest.json", "tokenizer.json"):
            shutil.copy(self.folder / f"text.{end}", self.folder / f"{name}.{end}")
        return self.folder / f"{name}.h5"

    def copy_of_run(self, name):
        return pathlib.Path(shutil.copytree(self.finished, self.folder / name))


class ConfigTest(BadInputTest):
    def test_missing_file(self):
        path = self.folder / "none.yaml"
        self.refuse(78, [path, "No such file"], config=path)

    def test_unknown_key(self):
        path = self.edited_config("layers: 2, hidden", "layers: 2, hiden")
        self.refuse(78, ["edited.yaml:6:32: model.hiden is not an option",
                         "Did you mean model.hidden?"], config=path)
        self.refuse(78, ["override model.hiden=64", "model.hidden"], "model.hiden=64")

    def test_unknown_section(self):
        path = self.edited_config("checkpoint:", "checkpoints:")
        self.refuse(78, ["edited.yaml:13:1: checkpoints is not", "Did you mean checkpoint?"],
                    config=path)

    def test_missing_key(self):
        path = self.edited_config("  duration: {steps: 40}\n", "")
        self.refuse(78, ["edited.yaml:10:3: train.duration is required", "Add it"], config=path)

    def test_wrong_type(self):
        path = self.edited_config("layers: 2", "layers: two")
        self.refuse(78, ["edited.yaml:6:29: model.layers: expected a whole number", "got two"],
                    config=path)
        self.refuse(78, ["train.micro_batch: expected a whole number or auto, got 8.5"],
                    "train.micro_batch=8.5")

    def test_value_out_of_range(self):
        for value in ("0", "-1", "2147483648", "9223372036854775808", "1e308"):
            self.refuse(78, ["train.micro_batch", value], f"train.micro_batch={value}")
        for override in ("data.sequence_length=4G", "model.hidden=9223372036854775807",
                         "train.global_batch_sequences=1e308", "optimizer.lr=-1"):
            key, _, value = override.partition("=")
            self.refuse(78, [key, value], override)

    def test_span_without_end(self):
        self.refuse(78, ["{epochs: 1e30}", "steps, expected at most"],
                    "train.duration={epochs: 1e30}")

    def test_cadence_in_hours_where_steps_are_meant(self):
        self.refuse(78, ["logging.every", "steps, tokens, samples or epochs"],
                    "logging.every={hours: 1}")

    def test_decay_of_a_moment_that_divides_by_zero(self):
        self.refuse(78, ["optimizer.betas", "0.999999"], "optimizer.betas=[0.9, 1.0]")

    def test_prompt_that_the_tokenizer_does_not_know(self):
        corpus = self.build_corpus("letters.h5", self.text, "--tokenizer", "char")
        sources = f"data.sources=[{{path: {corpus}}}]"
        self.refuse(78, ["eval.samples.prompts[1]", "U+00E9"], sources,
                    "eval.samples={every: {steps: 10}, prompts: [a, \u00e9]}")
        self.refuse(78, ["eval.samples.prompts[0]: is empty"],
                    "eval.samples={every: {steps: 10}, prompts: ['']}")

    def test_marks_that_cannot_be(self):
        """data.wrap names what is missing, or why a model has no such rows."""
        bert = ("model.name=bert", "objective.name=masked_lm", "objective.mask_share=0")
        self.refuse(78, ["data.wrap auto", "no cls token", "--special bert", "data.wrap=none"], *bert)
        self.refuse(78, ["data.wrap cls_sep", "no cls token"], *bert, "data.wrap=cls_sep")
        self.refuse(78, ["data.wrap bos_eos", "bert is an encoder", "cls_sep"], *bert,
                    "data.wrap=bos_eos")
        self.refuse(78, ["data.wrap cls_sep", "gpt2 is a decoder"], "data.wrap=cls_sep")
        self.refuse(78, ["data.wrap bos_eos", "no bos token", "--special"], "data.wrap=bos_eos")
        self.refuse(78, ["data.wrap", "auto, none, cls_sep or bos_eos"], "data.wrap=both")
        open_ended = self.build_corpus("open.h5", self.text, "--tokenizer", "byte", "--special",
                                       "<s>,<pad>", "--no-eos")
        source = f"data.sources=[{{path: {open_ended}}}]"
        self.refuse(78, ["data.wrap", open_ended, "--eos"], source, "data.wrap=bos_eos")
        self.refuse(78, ["data.document_mask", open_ended, "--eos"], source,
                    "data.document_mask=true")
        closed = self.build_corpus("closed.h5", self.text, "--tokenizer", "byte", "--special",
                                   "bert,t5,<s>")
        source = f"data.sources=[{{path: {closed}}}]"
        self.refuse(78, ["data.wrap bos_eos", "t5 is an encoder-decoder"], source, "model.name=t5",
                    "objective.name=prefix_lm", "data.wrap=bos_eos")
        self.refuse(78, ["objective.next_sentence", "data.wrap none"], source, "model.name=bert",
                    "model.pooler=true", "objective.name=masked_lm",
                    "objective.next_sentence=true", "data.wrap=none")

    def test_two_sources_of_one_name(self):
        (self.folder / "sub").mkdir(exist_ok=True)
        for end in ("h5", "manifest.json", "tokenizer.json"):
            shutil.copy(self.folder / f"text.{end}", self.folder / "sub")
        self.refuse(78, ["data.sources", "same name text", "`name:`"],
                    f"data.sources=[{{path: {self.corpus}}}, {{path: {self.folder}/sub/text.h5}}]")

    def test_model_larger_than_memory(self):
        for ranks in (1, 2):
            done = runs.run_program(self.config, f"run.dir={self.folder}/huge",
                                    "model.hidden=262144", "train.micro_batch=1", ranks=ranks)
            self.assert_told(71, ["out of memory", "train.micro_batch"], done, "huge model")

    def test_several_faults_are_shown_together(self):
        done = runs.run_program(self.config, "model.layers=x", "optimizer.lr=y")
        self.assertEqual(done.returncode, 78)
        self.assertIn("model.layers", done.stderr)
        self.assertIn("optimizer.lr", done.stderr)

    def test_duplicate_key(self):
        path = self.edited_config("eval: {every: {steps: 20}}",
                                  "eval: {every: {steps: 20}}\neval: {at_start: false}")
        self.refuse(78, ["edited.yaml:15:1: eval is given twice", "14:1"], config=path)

    def test_batch_that_does_not_divide(self):
        path = self.edited_config("", "")
        for ranks in (1, 2):
            self.refuse(78, ["pretrain: error 78: ", "edited.yaml:11:27: ",
                             f"data_ranks {ranks}", "not whole"], "train.micro_batch=5",
                        config=path, ranks=ranks)
        self.refuse(78, ["train.global_batch_sequences 12 = micro_batch 5 x data_ranks 1 x "
                         "accumulation 2.4", "not whole", "10, 15"], "train.micro_batch=5")
        self.refuse(78, ["train.global_batch_sequences 16 = micro_batch auto x data_ranks 3",
                         "15, 18"], "train.global_batch_sequences=16", ranks=3)
        self.refuse(78, ["train.global_batch_tokens 1000", "data.sequence_length 32", "992, 1024"],
                    "train.global_batch_tokens=1000", "~train.global_batch_sequences")
        self.refuse(78, ["global_batch_tokens", "global_batch_sequences", "exactly one"],
                    "train.global_batch_tokens=384")

    def test_unknown_component(self):
        path = self.edited_config("name: gpt2", "name: gpt3")
        self.refuse(78, ["edited.yaml:6:15: model.name: gpt3 is not known", "Known: bert", "gpt2"],
                    config=path)
        self.refuse(78, ["objective.name: magic is not known", "causal_lm"], "objective.name=magic")
        self.refuse(78, ["optimizer.name: magic is not known", "adamw"], "optimizer.name=magic")
        for ranks in (1, 2):
            self.refuse(78, ["parallel.backend: pigeon is not known", "mpi"],
                        "parallel.backend=pigeon", ranks=ranks)
        self.refuse(78, ["parallel.backend: local serves 1 rank, got 2", "parallel.backend=auto"],
                    "parallel.backend=local", ranks=2)

    def test_wrong_command_line(self):
        self.refuse_command(2, ["--magic", "--help"], self.config, "--magic")
        self.refuse_command(2, ["other.yaml", "--help"], self.config, "other.yaml")
        self.refuse_command(2, ["override +a.b=c", "a.b=c"], self.config, "+a.b=c")
        self.refuse_command(2, ["check", "FILE is required"], "check")
        self.refuse_command(2, ["corpus build", "--tokenizer is required"], "corpus", "build",
                            self.folder / "new.h5", self.text)
        for parts, *words in (
                (["[A]", "given twice"], "--special", "[A],[B],[A]"),
                (["[PAD]", "given twice"], "--special", "bert,[PAD]"),
                (["--special", "token 2 is empty"], "--special", "[A],"),
                (["--special", "token 1 is empty"], "--special", ""),
                (["special token a", "ordinary symbol", "<a>"], "--special", "a"),
                (["<|endoftext|>", "closes documents"], "--special", "<|endoftext|>"),
                (["<x_9..1>", "range that rises", "1..9"], "--special", "<x_9..1>"),
                (["more than 10000 tokens"], "--special", "<x_0..18446744073709551615>"),
                (["--special", self.folder / "text.tokenizer.json", "byte or char"],
                 "--special", "bert", "--tokenizer", self.folder / "text.tokenizer.json")):
            if "--tokenizer" not in words:
                words += ["--tokenizer", "byte"]
            self.refuse_command(2, parts, "corpus", "build", self.folder / "new.h5", self.text,
                                *words)
            self.assertEqual(list(self.folder.glob("new.*")), [])
        self.refuse_command(2, ["generate", "--prompt is required"], "generate", self.finished)
        self.refuse_command(2, ["--magic"], self.config, "--magic", ranks=2)
        self.refuse_command(2, ["generate: runs in one process, got 2 ranks", "without mpirun"],
                            "generate", self.finished, "--prompt", "a", ranks=2)
        self.assertEqual(runs.run_program().returncode, 2)

    def test_misspelt_words_and_wrong_numbers(self):
        run, generate = self.finished, ["generate", self.finished, "--prompt", "a"]
        build = ["corpus", "build", self.folder / "new.h5", self.text, "--tokenizer", "byte"]
        for parts, *words in (
                (["hlep", "Did you mean help?"], "hlep"),
                (["pretrain corpus: bild", "Did you mean build?"], "corpus", "bild"),
                (["pretrain corpus", "expected build, import", "verify"], "corpus"),
                (["--promt", "Did you mean --prompt?"], "generate", run, "--promt", "a"),
                (["--wrold", "Did you mean --world?"], "check", self.config, "--wrold=2"),
                (["more is one word too many"], *generate, "more"),
                (["--prompt lacks its value"], "generate", run, "--prompt"),
                (["--prompt is given more than once"], *generate, "--prompt", "b"),
                (["optimizer.lr=VALUE"], self.config, "optimizer.lr", "3"),
                (["--optimizer.lr=VALUE"], "check", self.config, "--optimizer.lr", "3"),
                (["--tokens", "8k or 8Ki, got 8q"], *generate, "--tokens", "8q"),
                (["--tokens", "expected 1 to", "got 0"], *generate, "--tokens", "0"),
                (["--top-k", "expected 0 to", "got -1"], *generate, "--top-k", "-1"),
                (["--seed", "at least 0, got -1"], *generate, "--seed", "-1"),
                (["--temperature", "a number such as 0.5, got hot"], *generate, "--temperature", "hot"),
                (["--top-p", "expected 0 to 1, got 2"], *generate, "--top-p", "2"),
                (["--greedy"], *generate, "--greedy=maybe"),
                (["--vocab", "8k or 8Ki, got many"], "tokenizer", "train", "bpe", "t.json", self.text,
                 "--vocab", "many"),
                (["--jobs", "got 1.5"], *build, "--jobs", "1.5"),
                (["--part-bytes", "64M, 5GB", "got 5q"], *build, "--part-bytes", "5q"),
                (["--max-document", "got 0"], *build, "--max-document", "0"),
                (["--probe-type", "fp32 or bf16, got fp8"], "export", run, "out", "--probe-type", "fp8"),
                (["--packing needs --sequence-length"], "corpus", "info", self.corpus, "--packing",
                 "documents")):
            with self.subTest(words):
                self.refuse_command(2, parts, *words)
        self.assertEqual(list(self.folder.glob("new.*")), [])

    def test_names_that_other_programs_use(self):
        for word, ours in (
                ("train.steps=10", "train.duration: {steps: N}"), ("lr=1", "optimizer.lr"),
                ("train.batch_size=8", "train.global_batch_sequences"),
                ("optimizer.learning_rate=1", "optimizer.lr"), ("model.n_layer=2", "model.layers"),
                ("data.block_size=8", "data.sequence_length"), ("train.lr=1", "optimizer.lr"),
                ("train.seed=3", "run.seed"), ("eval.interval=2", "")):
            with self.subTest(word):
                self.refuse(78, ["is not an option", f"Did you mean {ours}" if ours else "Options here"],
                            word)

    def test_an_objective_that_does_not_fit_is_told_before_its_tokens(self):
        for objective, kind in ("masked_lm", "needs an encoder"), ("replaced_token_detection",
                                                                   "needs an encoder with"):
            self.refuse(78, [objective, kind, "gpt2"], f"objective={{name: {objective}}}")

    def test_no_such_device(self):
        if not pathlib.Path("/dev/nvidiactl").exists():
            for words in ([], ["check"]):
                self.refuse_command(69, ["run.device cuda", "no CUDA device"], *words, self.config,
                                    "run.device=cuda", f"run.dir={self.folder / 'refused'}")

    def test_beams_are_not_drawn(self):
        generate = ["generate", self.finished, "--prompt", "ab", "--beams", "2"]
        for flag, *value in (["--samples", "2"], ["--temperature", "0.5"], ["--greedy"],
                             ["--top-k", "3"], ["--top-p", "0.5"], ["--seed", "2"]):
            self.refuse_command(2, [flag, "--beams", "exclude each other"], *generate, flag, *value)
        self.refuse_command(2, ["--tokens 32 behind 2 tokens", "32 positions", "--tokens 31"],
                            *generate, "--tokens", "32")
        done = runs.run_program(*generate, "--tokens", "31")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_no_configuration(self):
        self.refuse_command(65, [self.folder, "expected a configuration", "config.resolved.yaml"],
                            self.folder)
        self.refuse_command(2, ["standard input holds no text"], "score", self.finished, "-",
                            input="\n")

    def test_counts_and_help_as_a_command(self):
        for count in "1000", "1k", "1Ki":
            done = runs.run_program("corpus", "build", self.folder / f"{count}.h5", self.text,
                                    "--tokenizer", "byte", "--shard-tokens", count)
            self.assertEqual(done.returncode, 0, done.stderr)
        shards = [len(list(self.folder.glob(f"{count}-*.h5"))) for count in ("1000", "1k", "1Ki")]
        self.assertEqual(shards[0], shards[1])
        self.assertGreater(shards[1], shards[2])
        for words in ([], ["generate"], ["corpus", "build"]):
            self.assertEqual(runs.run_program("help", *words).stdout,
                             runs.run_program(*words, "--help").stdout)


class CorpusTest(BadInputTest):
    def refuse_corpus(self, code, parts, path):
        self.refuse(code, parts, f"data.sources=[{{path: {path}}}]")

    def test_missing(self):
        self.refuse_corpus(65, ["none.h5: cannot open", "No such file"],
                           self.folder / "none.h5")
        self.refuse(65, ["none.h5: cannot open"],
                    f"data.sources=[{{path: {self.folder}/none.h5}}]", ranks=2)

    def test_without_manifest(self):
        path = self.copy_of_corpus("bare")
        (self.folder / "bare.manifest.json").unlink()
        self.refuse_corpus(65, [path, "manifest", "pretrain corpus verify --write-manifest"], path)

    def test_truncated(self):
        path = self.copy_of_corpus("short")
        os.truncate(path, path.stat().st_size - 100)
        self.refuse_corpus(65, [path, "bytes"], path)

    def test_flipped_bit(self):
        path = self.copy_of_corpus("flipped")
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        self.refuse_corpus(65, [path, "differs"], path)

    def test_edited_manifest(self):
        path = self.copy_of_corpus("edited")
        manifest = self.folder / "edited.manifest.json"
        manifest.write_text(manifest.read_text().replace('"vocab_size": 257', '"vocab_size": 300'))
        self.refuse_corpus(65, [manifest, "edited or damaged"], path)
        self.refuse_command(73, [manifest, "--force"], "corpus", "verify", path, "--write-manifest")
        forced = runs.run_program("corpus", "verify", path, "--write-manifest", "--force")
        self.assertEqual(forced.returncode, 0, forced.stderr)
        self.assertEqual(runs.run_program("corpus", "verify", path, "--deep").returncode, 0)

    def test_foreign_hdf5(self):
        path = self.folder / "foreign.h5"
        with h5py.File(path, "w") as file:
            file["numbers"] = numpy.arange(10)
        self.refuse_corpus(65, [path, "manifest"], path)
        self.refuse_command(65, [path, "no attribute format"], "corpus", "verify", path,
                            "--write-manifest")
        self.refuse_command(65, [path, "no attribute format"], "corpus", "info", path)

    def test_no_hdf5(self):
        path = self.folder / "prose.h5"
        path.write_text("This is no HDF5 file.\n" * 100)
        self.refuse_command(65, [path, "no HDF5 file"], "corpus", "verify", path,
                            "--write-manifest")

    def write_corpus(self, name, edit):
        """A corpus by h5py, as another program would make it; `edit` damages its arrays."""
        path = self.folder / f"{name}.h5"
        with h5py.File(self.corpus) as source, h5py.File(path, "w") as file:
            arrays = {key: source[key][:] for key in ("tokens", "doc_offsets", "doc_bytes")}
            arrays |= {f"splits/{key}": source["splits"][key][:] for key in source["splits"]}
            attributes = dict(source.attrs)
            edit(arrays, attributes)
            for key, value in attributes.items():
                file.attrs[key] = value
            for key, value in arrays.items():
                file.create_dataset(key, data=value)
        shutil.copy(self.folder / "text.tokenizer.json", self.folder / f"{name}.tokenizer.json")
        return path

    def test_hand_made_corpus_is_accepted(self):
        path = self.write_corpus("hand", lambda arrays, attributes: None)
        done = runs.run_program("corpus", "verify", path, "--write-manifest")
        self.assertEqual(done.returncode, 0, done.stderr)
        run = self.train(self.folder / "hand-run", f"data.sources=[{{path: {path}}}]",
                         "train.duration={steps: 12}")
        self.assertEqual(runs.losses(run), runs.losses(self.finished))

    def test_token_id_beyond_the_vocabulary(self):
        def edit(arrays, attributes):
            arrays["tokens"][1000] = 300
            del attributes["max_id"]
        path = self.write_corpus("beyond", edit)
        self.refuse_command(65, [path, "token id 300", "vocab_size 257"], "corpus", "verify", path,
                            "--write-manifest")
        self.assertFalse((self.folder / "beyond.manifest.json").exists())

    def test_offsets_that_fall(self):
        def edit(arrays, attributes):
            arrays["doc_offsets"][5] = arrays["doc_offsets"][7] + 1
        path = self.write_corpus("falling", edit)
        self.refuse_command(65, [path, "doc_offsets"], "corpus", "verify", path,
                            "--write-manifest")

    def test_tokenizer_of_another_corpus(self):
        self.build_corpus("letters.h5", self.text, "--tokenizer", "char")
        self.refuse(65, [self.corpus, "tokenizer.path", "letters.tokenizer.json", "sha256"],
                    f"tokenizer.path={self.folder}/letters.tokenizer.json")
        self.refuse(65, [self.folder / "letters.h5", "tokenizer"],
                    f"data.sources=[{{path: {self.corpus}}}, {{path: {self.folder}/letters.h5}}]")

    def test_missing_split(self):
        self.refuse(65, [self.corpus, "no split exam", "train, valid"],
                    f"data.sources=[{{path: {self.corpus}, split: exam}}]")

    def test_context_longer_than_the_corpus(self):
        self.refuse(65, [self.corpus, "a row takes 100001", "Lower data.sequence_length"],
                    "data.sequence_length=100000", "train.global_batch_sequences=12")

    def refuse_build(self, code, parts, *words):
        output = self.folder / "unbuilt.h5"
        self.refuse_command(code, parts, "corpus", "build", output, "--tokenizer", "byte", *words)
        self.assertEqual(list(self.folder.glob("*unbuilt*")), [])

    def test_text_that_is_not_utf8(self):
        path = self.folder / "latin1.txt"
        path.write_bytes("caf\u00e9 au lait\n".encode("latin-1"))
        self.refuse_build(65, [path, "byte 3", "UTF-8"], path)

    def test_empty_text(self):
        path = self.folder / "empty.txt"
        path.write_text("")
        self.refuse_build(65, ["empty", "input"], path)

    def test_missing_text(self):
        self.refuse_build(65, ["none.txt", "No such file"], self.folder / "none.txt")

    def test_bad_jsonl(self):
        path = self.folder / "bad.jsonl"
        path.write_text('{"text": "fine"}\n{"text": \n')
        self.refuse_build(65, ["bad.jsonl:2", "JSON"], path)
        path.write_text('{"text": "fine"}\n{"body": "other field"}\n')
        self.refuse_build(65, ["bad.jsonl:2", "text", "body", "--field"], path)

    def test_existing_corpus_is_kept(self):
        before = self.corpus.read_bytes()
        self.refuse_command(73, [self.corpus, "exists", "--force"], "corpus", "build", self.corpus,
                            "--tokenizer", "byte", self.text)
        self.assertEqual(self.corpus.read_bytes(), before)


class CheckpointTest(BadInputTest):
    def shard(self, run, step, kind="model"):
        return next(runs.checkpoint(run, step).glob(f"{kind}-*.safetensors"))

    def damage(self, path, how):
        if how == "truncated":
            os.truncate(path, path.stat().st_size - 4096)
        elif how == "flipped":
            content = bytearray(path.read_bytes())
            content[-1000] ^= 4
            path.write_bytes(content)
        else:
            path.unlink()

    def test_damaged_newest_falls_back_aloud(self):
        for how, word in (("truncated", "4,096 bytes short"), ("flipped", "differs from its digest"),
                          ("missing", "cannot")):
            for kind in ("model", "optim"):
                with self.subTest(how=how, kind=kind):
                    run = self.copy_of_run(f"{how}-{kind}")
                    bad = self.shard(run, 12, kind)
                    self.damage(bad, how)
                    verify = runs.run_program("checkpoint", "verify", run)
                    self.assert_told(65, [bad.name], verify, f"checkpoint verify ({how} {kind})")
                    done = runs.run_program(self.config, f"run.dir={run}",
                                            "train.duration={steps: 12}")
                    self.assertEqual(done.returncode, 0, done.stderr)
                    warnings = [line for line in done.stderr.splitlines()
                                if line.startswith("warning: step-00000012 skipped: ")]
                    self.assertEqual(len(warnings), 1, done.stderr)
                    self.assertIn(bad.name, warnings[0])
                    self.assertIn(word, warnings[0])
                    self.assertIn("Resuming from step-00000010", warnings[0])
                    self.assertEqual(len(runs.events(run, "fallback")), 1)
                    self.assertEqual(runs.losses(run), runs.losses(self.finished))
                    self.assert_same_tensors(runs.checkpoint(run, 12),
                                             runs.checkpoint(self.finished, 12))

    def test_all_damaged_is_never_a_silent_start(self):
        run = self.copy_of_run("all-damaged")
        for step in (10, 12):
            self.damage(self.shard(run, step), "truncated")
        self.refuse(65, ["none of 2 checkpoints is valid", "step-00000012", "4,096 bytes short",
                         f"pretrain checkpoint verify {run}"], run=run)
        self.refuse(65, ["none of 2"], run=run, ranks=2)

    def test_edited_manifest_and_state(self):
        for name in ("manifest.json", "state.json", "manifest.sha256", "config.resolved.yaml"):
            run = self.copy_of_run(f"edited-{name}")
            for step in (10, 12):
                path = runs.checkpoint(run, step) / name
                path.write_text(path.read_text().replace("1", "2", 1))
            self.refuse(65, ["none of 2 checkpoints is valid", name], run=run)

    def test_checkpoint_of_another_model(self):
        self.refuse(78, ["model.layers was 2", "step-00000012", "is 3", "run.dir",
                         "run.allow_change=[model.layers]"], "model.layers=3", run=self.finished)
        self.refuse(65, ["step-00000012", "block"], "model.layers=3",
                    "run.allow_change=[model.layers]", run=self.copy_of_run("allowed"))

    def test_other_seed_or_batch(self):
        self.refuse(78, ["run.seed was 1", "is 2"], "run.seed=2", run=self.finished)
        self.refuse(78, ["train.global_batch_sequences was 12", "is 24"],
                    "train.global_batch_sequences=24", run=self.finished)

    def test_other_corpus(self):
        text = self.folder / "other.txt"
        text.write_text(runs.make_text(seed=2, documents=60))
        path = self.build_corpus("other.h5", text, "--tokenizer", "byte")
        self.refuse(65, ["data.sources", "corpora", "run.dir"],
                    f"data.sources=[{{path: {path}}}]", run=self.finished)

    def test_moved_corpus_is_no_other(self):
        run, path = self.copy_of_run("moved"), self.copy_of_corpus("elsewhere")
        self.train(run, f"data.sources=[{{path: {path}}}]", "train.duration={steps: 14}")
        self.assertEqual([event["step"] for event in runs.events(run, "resume")], [12])

    def test_initial_weights_of_another_context_or_vocabulary(self):
        start = f"run.init={self.finished}"
        self.refuse(78, ["run.init", "a context of 32", "this run has 64", "model.max_positions=32"],
                    start, "data.sequence_length=64", "train.global_batch_sequences=12")
        self.refuse(78, ["run.init", "a vocabulary of 257", "this run has 300"], start,
                    "model.vocab_size=300")
        self.refuse(78, ["run.init", "gpt2", "llama"], start, "model.name=llama")

    def test_initial_weights_of_another_size(self):
        theirs = self.folder / "theirs"
        if not theirs.exists():
            done = runs.run_program("export", self.finished, theirs)
            self.assertEqual(done.returncode, 0, done.stderr)
        for start in self.finished, theirs:
            for code, parts, *words in (
                    (78, ["run.init", "embeddings.token", "x 32", "x 48", "model.hidden=32"],
                     "model.hidden=48"),
                    (78, ["run.init", "has no tensor", "model.layers=2"], "model.layers=3")):
                self.refuse(code, parts, f"run.init={start}", *words)
                self.refuse_command(code, parts, "check", self.config, f"run.init={start}", *words)

    def test_no_run(self):
        theirs = self.folder / "config-only"
        theirs.mkdir()
        (theirs / "config.json").write_text("{}")
        self.refuse_command(65, ["Hugging Face", f"pretrain import {theirs} OUT"], "checkpoint",
                            "list", theirs)
        for words in (["generate", "--prompt", "a"], ["score", "a"], ["export", "out"]):
            for path, part in ((self.folder / "absent", "does not exist"), (self.config, "is no run")):
                self.refuse_command(65, [path, part, "config.json"], words[0], path, *words[1:])
            self.refuse_command(65, [theirs, "model.safetensors"], words[0], theirs,
                                *words[1:])
        self.refuse(65, ["model.safetensors"], f"run.init={theirs}")

    def test_tokens_that_a_checkpoint_lacks(self):
        run = self.train(self.folder / "maskless", "train.duration={steps: 1}", "model.name=bert",
                         "data.wrap=none", "objective={name: masked_lm, mask_share: 0}")
        self.refuse_command(65, ["no mask token", "[MASK]", "--special bert"], "score", run, "text")
        self.refuse_command(65, ["no mask token", "[MASK]"], "generate", run, "--prompt", "text")

    def test_resume_options(self):
        self.refuse(73, ["step-00000012", "run.resume is never"], "run.resume=never",
                    run=self.finished)
        run = self.folder / "required"
        run.mkdir()
        self.refuse(65, ["no checkpoint", "run.resume is require"], "run.resume=require", run=run)

    def test_generate_from_nothing(self):
        self.refuse_command(65, ["99", "no such checkpoint", "pretrain checkpoint list"],
                            "generate", f"{self.finished}:99", "--prompt", "a")
        self.refuse_command(65, [self.folder / "nowhere"], "generate", self.folder / "nowhere",
                            "--prompt", "a")


class RunDirectoryTest(BadInputTest):
    def test_file_in_the_place_of_the_directory(self):
        path = self.folder / "occupied"
        path.write_text("keep me\n")
        self.refuse(73, ["run.dir", path, "Use another run.dir"], run=path)
        self.assertEqual(path.read_text(), "keep me\n")

    def mount(self, *words):
        """A mount below the test's folder for this test; skips where that is not allowed."""
        target = pathlib.Path(words[-1])
        target.mkdir(exist_ok=True)
        if os.geteuid() != 0 or subprocess.run(["mount", *words], capture_output=True).returncode:
            self.skipTest("mounts need root and the right to mount")
        self.addCleanup(subprocess.run, ["umount", str(target)], check=True)
        return target

    def test_read_only(self):
        folder = self.folder / "read-only"
        folder.mkdir()
        if os.geteuid() != 0:
            folder.chmod(0o555)
            self.addCleanup(folder.chmod, 0o755)
        else:
            self.mount("-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", str(folder))
        self.refuse(73, ["run.dir", folder, "Use another run.dir"], run=folder / "run")

    def test_full_at_the_start(self):
        folder = self.mount("-t", "tmpfs", "-o", "size=300k", "tmpfs", str(self.folder / "small"))
        run = folder / "run"
        done = runs.run_program(self.config, f"run.dir={run}")
        self.assert_told(73, [run, "a save needs", "are free", "Free space"], done, "full at start")
        state = runs.status(run)
        self.assertEqual((state["state"], state["code"]), ("failed", 73))
        self.assertIn("a save needs", state["reason"])

    def test_full_during_the_run(self):
        """It fills up after the first save: that checkpoint stays, and the run says what it needs."""
        folder = self.mount("-t", "tmpfs", "-o", "size=1000k", "tmpfs", str(self.folder / "filling"))
        run = folder / "run"
        done = runs.run_program(self.config, f"run.dir={run}")
        self.assert_told(73, [run, "saves in a row failed", "a save needs", "are free"], done,
                         "full during the run")
        self.assertEqual(len(runs.events(run, "ckpt_fail")) + 1, 3)
        self.assertEqual(runs.status(run)["code"], 73)
        verify = runs.run_program("checkpoint", "verify", run)
        self.assertEqual(verify.returncode, 0, verify.stderr)
        self.assertTrue(verify.stdout.startswith("step-00000005"), verify.stdout)

    def test_locked_by_a_live_run(self):
        run = self.folder / "locked"
        job = self.start(run, "train.duration={steps: 1000000}")
        self.wait_until(job, lambda: runs.events(run, "ckpt_commit"), "a checkpoint")
        words = [self.config, f"run.dir={run}", "train.duration={steps: 1000000}"]
        for ranks in (1, 2):
            self.assert_told(77, [run, f"pid {job.pid}", "in use", "run.dir"],
                             runs.run_program(*words, ranks=ranks), f"locked, {ranks} ranks")
        self.assertTrue(job.lives())
        os.kill(job.pid, signal.SIGUSR1)
        self.assertEqual(job.wait()[0], 75)
        self.assertEqual(runs.events(run, "run_end")[-1]["code"], 75)

    def test_two_starts_at_once(self):
        run = self.folder / "contested"
        jobs = [self.start(run, "train.duration={steps: 1000000}") for _ in range(2)]
        self.wait_until(jobs[0], lambda: not jobs[1].lives(), "one of two to give up")
        loser, winner = sorted(jobs, key=runs.Job.lives)
        self.assertEqual(loser.wait()[0], 77)
        self.wait_until(winner, lambda: runs.events(run, "run_start"), "the other to train")
        os.kill(winner.pid, signal.SIGUSR1)
        self.assertEqual(winner.wait()[0], 75)
        self.assertEqual(len(runs.events(run, "run_start")), 1)


class LaunchTest(BadInputTest):
    def test_singletons_of_slurm(self):
        self.refuse(69, ["Slurm started 2 tasks but MPI sees 1 rank", "mpirun", "srun --mpi=pmix"],
                    env=runs.environment(SLURM_NTASKS="2"))
        self.refuse(69, ["4 tasks", "mpirun"],
                    env=runs.environment(SLURM_NTASKS="4", SLURM_STEP_NUM_TASKS="4", PMI_RANK="0"))

    def refuse_mixture(self, parts, first, second, variables=()):
        run = self.folder / "mixed"
        words = ["mpirun", "--bind-to", "none", "-np", "1", *first, f"run.dir={run}", ":", "-np",
                 "1", *variables, *second, f"run.dir={run}"]
        done = subprocess.run(list(map(str, words)), env=runs.environment(), capture_output=True,
                              stdin=subprocess.DEVNULL, text=True, timeout=runs.TIMEOUT_S)
        self.assert_told(79, [*parts, "rank 0", "rank 1"], done, "different ranks: " + parts[0])
        self.assertFalse(run.exists())

    def test_other_command_line_on_one_rank(self):
        self.refuse_mixture(["command line differs", "optimizer.lr=1e-4"],
                            [runs.PROGRAM, self.config],
                            [runs.PROGRAM, self.config, "optimizer.lr=1e-4"])

    def test_other_config_on_one_rank(self):
        other = self.edited_config("layers: 2", "layers: 3")
        self.refuse_mixture(["command line differs", "edited.yaml"], [runs.PROGRAM, self.config],
                            [runs.PROGRAM, other])

    def test_other_program_on_one_rank(self):
        other = self.folder / "other-program"
        shutil.copy(runs.PROGRAM, other)
        with other.open("ab") as file:
            file.write(b"\n")
        self.refuse_mixture(["binary SHA-256 differs"], [runs.PROGRAM, self.config],
                            [other, self.config])

    def test_other_variables_on_one_rank(self):
        self.refuse_mixture(["ATEN_CPU_CAPABILITY differs", "default"],
                            [runs.PROGRAM, self.config], [runs.PROGRAM, self.config],
                            ["-x", "ATEN_CPU_CAPABILITY=default"])


del BadInputTest  # only what is derived from it holds tests


if __name__ == "__main__":
    unittest.main()
