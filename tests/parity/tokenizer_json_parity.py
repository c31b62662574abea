"""Loads tokenizer.json files of the byte and char tokenizers in Hugging Face's `tokenizers` and
compares ids and texts with their definition.

Usage: tokenizer_json_parity.py FILE.tokenizer.json... [CORPUS.h5...]

A corpus is read with h5py: each of its documents must decode to a text that encodes to the same ids.
Exit code: 0 all equal, 1 a difference (printed).
"""

import random
import sys

from tokenizers import Tokenizer

END_OF_TEXT = "<|endoftext|>"


def reference(tokenizer):
    """Encoding by definition and the alphabet it takes: bytes, or characters in ascending order."""
    vocabulary = tokenizer.get_vocab(with_added_tokens=False)
    if len(vocabulary) == 256 and "Ġ" in vocabulary:
        alphabet = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
        return (lambda text: list(text.encode("utf-8"))), alphabet
    alphabet = sorted(vocabulary)
    ids = {character: i for i, character in enumerate(alphabet)}
    return (lambda text: [ids[character] for character in text]), alphabet


def check_file(path):
    """Number of differences between the library and the definition."""
    tokenizer = Tokenizer.from_file(path)
    tokenizer.encode_special_tokens = True  # <|endoftext|> written in a text is ordinary text
    encode, alphabet = reference(tokenizer)
    choose = random.Random(1)
    texts = ["".join(choose.choices(alphabet, k=choose.randrange(200))) for _ in range(500)]
    texts += ["".join(alphabet[i : i + 1000]) for i in range(0, len(alphabet), 1000)]
    if all(character in set(alphabet) for character in END_OF_TEXT):
        texts.append(f"a {END_OF_TEXT} b")
    differences = 0
    for text in texts:
        got = tokenizer.encode(text, add_special_tokens=False).ids
        expected = encode(text)
        decoded = tokenizer.decode(expected)
        if got != expected or decoded != text:
            differences += 1
            print(f"{path}: {text[:40]!r}: ids {got[:10]}, expected {expected[:10]}, "
                  f"decoded {decoded[:40]!r}")
    eos = tokenizer.token_to_id(END_OF_TEXT)
    specials = tokenizer.get_vocab_size() - len(tokenizer.get_vocab(with_added_tokens=False))
    if eos is not None and (specials != 1 or eos != tokenizer.get_vocab_size() - 1):
        differences += 1
        print(f"{path}: {END_OF_TEXT} is {eos} of {tokenizer.get_vocab_size()}, expected the last")
    return differences


def check_corpus(path):
    """Number of documents whose tokens the library does not give for their text."""
    import h5py

    tokenizer = Tokenizer.from_file(path.removesuffix(".h5") + ".tokenizer.json")
    tokenizer.encode_special_tokens = True
    differences = 0
    with h5py.File(path) as corpus:
        tokens, offsets = corpus["tokens"], corpus["doc_offsets"][:]
        eos = int(corpus.attrs["eos_id"])
        for document, (begin, end) in enumerate(zip(offsets[:-1], offsets[1:])):
            ids = tokens[begin:end].tolist()
            if eos >= 0 and ids.pop() != eos:
                differences += 1
                print(f"{path}: document {document} does not end with {eos}")
            text = tokenizer.decode(ids)
            size = len(text.encode("utf-8"))
            if (tokenizer.encode(text, add_special_tokens=False).ids != ids
                    or size != corpus["doc_bytes"][document]):
                differences += 1
                print(f"{path}: document {document} differs")
    return differences


def main(paths):
    differences = 0
    for path in paths:
        found = check_corpus(path) if path.endswith(".h5") else check_file(path)
        print(f"{path}: {found} differences")
        differences += found
    return 1 if differences or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
