"""SentencePiece `.model` files: ids here equal those of their tokenizer.json in Hugging Face's `tokenizers`.

SentencePiece itself differs where two segmentations have equal sums (it adds in single precision) and where a charsmap
meets marks; BPE without a charsmap must equal it, too.
"""

import io
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
from tokenizers import Tokenizer

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from program import ENVIRONMENT, PROGRAM, pretrain

SHARED = os.environ.get("PRETRAIN_SHARED")
SCALARS = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
AS_IT_IS = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}
MODELS = {
    "t5": {"model_type": "unigram", "vocab_size": 8000, "pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1},
    "small": {"model_type": "unigram", "vocab_size": 3000, "user_defined_symbols": ["<sep>"]},
    "llama": {"model_type": "bpe", "vocab_size": 4000, "byte_fallback": True, **AS_IT_IS},
    "bytes": {"model_type": "unigram", "vocab_size": 4000, "byte_fallback": True, **AS_IT_IS},
}


def random_texts():
    choose = random.Random(3)
    alphabets = [SCALARS, SCALARS[:0x3000], SCALARS[:128], list(" \u2581\u3000ab.\n\t")]
    return ["".join(choose.choices(alphabet, k=choose.randrange(0, 40))) for alphabet in alphabets for _ in range(500)]


@unittest.skipUnless(SHARED, "needs PRETRAIN_SHARED")
class TokenizerModelsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        data = pathlib.Path(SHARED) / "data/text"
        cls.languages = [path.read_text(encoding="utf-8") for path in sorted((data / "udhr").glob("*.txt"))]
        cls.book = sorted((data / "books").glob("*.txt"))[0].read_text(encoding="utf-8")[:200000]
        assert len(cls.languages) >= 20
        some = SCALARS[:0x3400] + SCALARS[0x3400::9]  # tokenizer_pipeline_test tries every one
        chunks = [some[i:i + 256] for i in range(0, len(some), 256)]
        cls.texts = [*(" ".join(chunk) for chunk in chunks), *("a" + "b".join(chunk) for chunk in chunks),
                     *random_texts(), *cls.languages, cls.book]

    def encode(self, path):
        framed = b"".join(struct.pack("<I", len(text)) + text for text in (t.encode() for t in self.texts))
        (self.folder / "in").write_bytes(framed)
        done = subprocess.run([PROGRAM, "tokenizer", "encode", path, self.folder / "in", "--doc-sep", "framed",
                               "--format", "u32"], env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        numbers, ids = np.frombuffer(done.stdout, np.uint32).tolist(), []
        at = 0
        while at < len(numbers):
            ids.append(numbers[at + 1:at + 1 + numbers[at]])
            at += 1 + numbers[at]
        self.assertEqual(len(ids), len(self.texts))
        return ids

    def test_models(self):
        lines = [line for text in self.languages + [self.book] for line in text.splitlines()]
        for name, options in MODELS.items():
            with self.subTest(name):
                model = io.BytesIO()
                sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=model,
                                                         minloglevel=2, **options)
                path = self.folder / f"{name}.model"
                path.write_bytes(model.getvalue())
                (self.folder / "text.txt").write_text("a\n")
                pretrain("corpus", "build", self.folder / f"{name}.h5", "--tokenizer", path, self.folder / "text.txt")
                reference = Tokenizer.from_file(str(self.folder / f"{name}.tokenizer.json"))
                reference.encode_special_tokens = True
                google = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
                others = 0
                theirs = reference.encode_batch_fast(self.texts, add_special_tokens=False)
                for text, ids, other, googles in zip(self.texts, self.encode(path), theirs, google.encode(self.texts)):
                    self.assertEqual(ids, other.ids, repr(text[:200]))
                    others += ids != googles
                print(f"\n  {name}: 0 of {len(self.texts)} texts differ from tokenizers, {others} from sentencepiece")
                if name == "llama":
                    self.assertEqual(others, 0)


if __name__ == "__main__":
    unittest.main()
