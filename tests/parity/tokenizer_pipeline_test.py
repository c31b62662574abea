"""tokenizer.json files of every supported part in Hugging Face's `tokenizers` and here: the same ids, offsets and
decoded texts. Each tokenizer is trained by a reference library on shared text. Every Unicode scalar is tried between
blanks and between letters, many in a text; then random strings and texts in many languages.
"""

import io
import itertools
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import ENVIRONMENT, PROGRAM, pretrain

SHARED = os.environ.get("PRETRAIN_SHARED")
SCALARS = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
CHUNK = 256
MARK = "\u2581"


def scalar_texts(step):
    """Every scalar, or every `step`-th, between blanks and between letters."""
    some = SCALARS[::step]
    chunks = [some[i:i + CHUNK] for i in range(0, len(some), CHUNK)]
    return [" ".join(chunk) for chunk in chunks] + ["a" + "b".join(chunk) for chunk in chunks]


def random_texts(count):
    choose = random.Random(3)
    special = [" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "'s", "n't", "a", "Bc", "XYZ", "\u0301", "e\u0301", "\u00e9", "\u1e9b\u0323",
               "\ufb01", "\u4e2d", "\u3042", "\uff76\uff9e", "1", "22", "\u00bd", "\u0663", ".", "!?", "-", "--", "_", "\u3002", "\U0001f600", "\u200d",
               "\u00ad", "\ufeff", "\0", MARK, "the", "ing ", "[x]", "<w>", "</s>", "[MASK]"]
    small = SCALARS[:0x3000]
    return ["".join(choose.choices((special, special, SCALARS, small)[i % 4], k=choose.randrange(0, 25))) for i in range(count)]


def byte_offsets(text):
    return [0, *itertools.accumulate(len(c.encode()) for c in text)]


def framed(texts):
    return b"".join(struct.pack("<I", len(t)) + t for t in texts)


def unframed(data, width):
    at, items = 0, []
    while at < len(data):
        size = width * struct.unpack_from("<I", data, at)[0]
        items.append(data[at + 4:at + 4 + size])
        at += 4 + size
    return items


@unittest.skipUnless(SHARED, "needs PRETRAIN_SHARED")
class TokenizerPipelineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        languages = sorted((pathlib.Path(SHARED) / "data/text/udhr").glob("*.txt"))
        cls.languages = [path.read_text(encoding="utf-8") for path in languages]
        assert len(cls.languages) >= 20
        cls.lines = [line for text in cls.languages for line in text.splitlines(keepends=True)]

    def run_program(self, command, data, *words):
        """What `pretrain tokenizer COMMAND` writes to its standard output for `data`."""
        (self.folder / "in").write_bytes(data)
        done = subprocess.run([PROGRAM, "tokenizer", command, self.folder / "t.json", self.folder / "in", *words],
                              env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def compare(self, reference, *, step=1, texts=None, same_decoding=True, removed=frozenset()):
        """Compares ids, offsets and decoded texts; `step` > 1 leaves scalars out.

        Where its normalizer removes characters, those in `removed`, the offsets of the library are
        shifted (a text that begins with one has its second character at 0): there only ids count.
        """
        reference.save(str(self.folder / "t.json"))
        reference = Tokenizer.from_file(str(self.folder / "t.json"))
        reference.encode_special_tokens = True
        reference.post_processor = processors.Sequence([])  # would trim offsets
        if texts is None:
            texts = scalar_texts(step) + random_texts(2000) + (self.languages if step == 1 else self.lines[:300])
        encodings = reference.encode_batch(texts, add_special_tokens=False)
        data = framed([text.encode() for text in texts])
        ids = [np.frombuffer(i, np.uint32) for i in
               unframed(self.run_program("encode", data, "--doc-sep", "framed", "--format", "u32"), 4)]
        spans = [np.frombuffer(i, np.uint32).reshape(-1, 3) for i in
                 unframed(self.run_program("encode", data, "--doc-sep", "framed", "--format", "u32", "--spans"), 12)]
        self.assertEqual(len(ids), len(texts))
        for text, encoding, mine, spanned in zip(texts, encodings, ids, spans):
            self.assertEqual(mine.tolist(), encoding.ids, (text, encoding.tokens))
            self.assertEqual(spanned[:, 0].tolist(), encoding.ids, text)
            if not removed.isdisjoint(text):
                continue
            at = byte_offsets(text)
            expected = [[at[begin], at[end]] for begin, end in encoding.offsets]
            self.assertEqual(spanned[:, 1:].tolist(), expected, (text, encoding.tokens))
        if same_decoding:
            data = b"".join(struct.pack("<I", len(e.ids)) + np.array(e.ids, np.uint32).tobytes() for e in encodings)
            decoded = unframed(self.run_program("decode", data, "--doc-sep", "framed", "--format", "u32"), 1)
            for encoding, mine in zip(encodings, decoded):
                self.assertEqual(mine.decode(errors="replace"), reference.decode(encoding.ids, skip_special_tokens=True))
        self.compare_written(reference, texts[-50:])

    def compare_written(self, reference, texts):
        """The file that we write of it gives the same ids in the library."""
        (self.folder / "text.txt").write_text("a b\n")
        pretrain("corpus", "build", self.folder / "c.h5", "--force", "--tokenizer", self.folder / "t.json",
                 self.folder / "text.txt")
        written = Tokenizer.from_file(str(self.folder / "c.tokenizer.json"))
        written.encode_special_tokens = True
        for one, other in zip(reference.encode_batch(texts, add_special_tokens=False),
                              written.encode_batch(texts, add_special_tokens=False)):
            self.assertEqual(one.ids, other.ids)

    def train(self, tokenizer, trainer):
        tokenizer.train_from_iterator(self.lines, trainer)
        return tokenizer

    def bert(self, lowercase):
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        self.train(tokenizer, trainers.WordPieceTrainer(vocab_size=4000, special_tokens=specials, show_progress=False))
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
        return tokenizer

    def test_bert_cased(self):
        self.compare(self.bert(lowercase=False))

    def test_bert_uncased(self):
        self.compare(self.bert(lowercase=True))

    def test_roberta(self):
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        self.train(tokenizer, trainers.BpeTrainer(vocab_size=4000, special_tokens=specials, show_progress=False,
                                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
        tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
        self.compare(tokenizer)

    def test_byte_level_with_normalizer_and_parts(self):
        tokenizer = Tokenizer(models.BPE())
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
        tokenizer.decoder = decoders.ByteLevel()
        self.train(tokenizer, trainers.BpeTrainer(vocab_size=3000, special_tokens=["<|endoftext|>"], show_progress=False,
                                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
        self.compare(tokenizer, step=5)

    def sentencepiece_model(self, **options):
        out = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(line.strip() for line in self.lines if line.strip()),
                                                 model_writer=out, minloglevel=2, **options)
        model = sentencepiece_model_pb2.ModelProto()
        model.ParseFromString(out.getvalue())
        return model

    def t5(self):
        model = self.sentencepiece_model(vocab_size=4000, model_type="unigram", character_coverage=0.995, pad_id=0, eos_id=1,
                                         unk_id=2, bos_id=-1)
        tokenizer = Tokenizer(models.Unigram([(p.piece, p.score) for p in model.pieces], unk_id=2, byte_fallback=False))
        tokenizer.normalizer = normalizers.Precompiled(model.normalizer_spec.precompiled_charsmap)
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
        tokenizer.decoder = decoders.Metaspace()
        tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>", *(f"<extra_id_{i}>" for i in range(10))])
        return tokenizer

    def test_t5(self):
        tokenizer = self.t5()
        # A text with </s> is one with that piece for the library, though it encodes special tokens.
        texts = [t for t in scalar_texts(1) + random_texts(2000) + self.languages if "</s>" not in t]
        removed = {c for c in SCALARS if not tokenizer.normalizer.normalize_str(c)}
        self.assertLess(len(removed), 100)
        self.compare(tokenizer, texts=texts, removed=removed)

    def test_t5_as_transformers_converts_it(self):
        tokenizer = self.t5()
        charsmap = tokenizer.normalizer
        choose = random.Random(7)
        parts = ["the", "Lord", " ", " ", "  ", "     ", "\u00a0", "\u3000", "\t", "\n", MARK, "e\u0301", "eee", ".", "12", "\u65e5\u65e5"]
        texts = ["".join(choose.choices(parts, k=choose.randrange(0, 16))) for _ in range(3000)] + self.languages
        for regex, content in ((" {2,}", MARK), ("e{1,}", "x"), ("\u65e5{3,}", "ab"), (" {1,}", "")):
            with self.subTest(regex=regex):
                tokenizer.normalizer = normalizers.Sequence(
                    [charsmap, normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(regex), content)])
                self.compare(tokenizer, texts=texts, removed=set(" ") if content == "" else set())

    def llama(self):
        pieces = ["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256))]
        plain = Tokenizer(models.BPE())
        plain.normalizer = self.llama_normalizer()
        self.train(plain, trainers.BpeTrainer(vocab_size=3000, special_tokens=pieces, show_progress=False, max_token_length=16))
        state = json.loads(plain.to_str())
        state["added_tokens"] = state["added_tokens"][:3]
        state["model"].update(unk_token="<unk>", fuse_unk=True, byte_fallback=True)
        tokenizer = Tokenizer.from_str(json.dumps(state))
        tokenizer.decoder = decoders.Sequence(
            [decoders.Replace(MARK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
        return tokenizer

    @staticmethod
    def llama_normalizer():
        return normalizers.Sequence([normalizers.Prepend(MARK), normalizers.Replace(" ", MARK)])

    def test_llama(self):
        self.compare(self.llama())

    def test_llama_with_metaspace(self):
        tokenizer = self.llama()
        tokenizer.normalizer = normalizers.Sequence([])
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
        self.compare(tokenizer, step=9)

    def test_words_with_each_pre_tokenizer(self):
        behaviors = ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")
        parts = [pre_tokenizers.Whitespace(), pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Digits(individual_digits=True),
                 pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.WhitespaceSplit(),
                 pre_tokenizers.ByteLevel(add_prefix_space=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
                 *(pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split)
                   for scheme in ("always", "never", "first") for split in (True, False)),
                 *(pre_tokenizers.Punctuation(behavior) for behavior in behaviors),
                 *(pre_tokenizers.Split(" ", behavior, invert) for behavior in behaviors for invert in (False, True)),
                 pre_tokenizers.Split(Regex(r"\s+"), "removed"),
                 pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="first"),
                                          pre_tokenizers.Punctuation()])]
        words = itertools.chain(*(line.split() for line in self.lines[::10]))
        vocabulary = {word: i + 1 for i, word in enumerate(dict.fromkeys([*words, *SCALARS[33:3000], MARK, "\u0120the"]))}
        tokenizer = Tokenizer(models.WordLevel({"<unk>": 0} | vocabulary, unk_token="<unk>"))
        for i, part in enumerate(parts):
            with self.subTest(part=str(part)):
                tokenizer.pre_tokenizer = part
                self.compare(tokenizer, step=1 if i < 3 else 61)

    def test_added_tokens(self):
        tokenizer = self.bert(lowercase=True)
        tokenizer.add_tokens([AddedToken("[x]", lstrip=True, rstrip=True, normalized=False), AddedToken("XYZ", single_word=True),
                              AddedToken("<w>", lstrip=True, normalized=True), AddedToken("\u00c9", normalized=True)])
        choose = random.Random(5)
        words = ["[x]", "[X]", " ", "  ", "xyz", "XYZ", "<w>", "<W>", "\u00e9", "\u00c9", "e", "E\u0301", "the", "\t", ".", "[MASK]", "[", "<"]
        self.compare(tokenizer, texts=["".join(choose.choices(words, k=choose.randrange(0, 12))) for _ in range(5000)])


if __name__ == "__main__":
    unittest.main()
