#include "core/data/corpus/build_identity.h"

#include <gmock/gmock.h>

#include <functional>

namespace pretrain {
namespace {

// What is asked for, with what it comes to.
struct Asked {
  BuildOptions options;
  CorpusHeader header;
  double valid_fraction = 0.01;
  std::size_t validation_files = 0;

  std::vector<BuildIdentity::Choice> choices() const {
    return build_identity(options, valid_fraction, header, {}, validation_files).choices;
  }
};

Asked plain() {
  Asked asked;
  asked.options.tokenizer = "byte";
  asked.header.vocab_size = 257;
  asked.header.eos_id = 256;
  asked.header.tokenizer_sha256 = "0123456789abcdef0123";
  asked.header.created_by = "pretrain 1.0";
  return asked;
}

struct Change {
  std::function<void(Asked&)> make;
  const char* said;
};

const Change kChanges[] = {
    {[](Asked& a) {
       a.options.tokenizer = "char";
       a.header.tokenizer_sha256 = "fedcba98765432100123";
       a.header.eos_id = 90;
     },
     "--tokenizer was byte (sha256 0123456789ab), is char (sha256 fedcba987654)"},
    {[](Asked& a) {
       a.options.specials = {"[PAD]", "<s>"};
       a.header.tokenizer_sha256 = "fedcba98765432100123";
     },
     "--tokenizer was byte (sha256 0123456789ab), is byte with --special [PAD],<s> (sha256 "
     "fedcba987654)"},
    {[](Asked& a) { a.header.eos_id = -1; }, "end of documents was --eos, is --no-eos"},
    {[](Asked& a) { a.options.format.format = "jsonl"; }, "--format was auto, is jsonl"},
    {[](Asked& a) { a.options.format.doc_sep = "line"; }, "--doc-sep was blank, is line"},
    {[](Asked& a) { a.options.format.field = "body"; }, "--field was text, is body"},
    {[](Asked& a) { a.options.format.invalid = InvalidText::kSkip; },
     "--invalid was error, is skip"},
    {[](Asked& a) { a.validation_files = 2; }, "--valid was not given, is 2 files"},
    {[](Asked& a) { a.valid_fraction = 0.1; }, "--valid-fraction was 0.01, is 0.1"},
    {[](Asked& a) { a.options.quality.c4 = a.options.quality.gopher = true; },
     "--quality was not given, is gopher,c4"},
    {[](Asked& a) { a.options.quality.min_chars = 9; }, "--min-chars was not given, is 9"},
    {[](Asked& a) { a.options.quality.max_chars = 99; }, "--max-chars was not given, is 99"},
    {[](Asked& a) { a.options.duplicates.exact = true; }, "--dedup was not given, is given"},
    {[](Asked& a) { a.options.duplicates.near = 0.8; }, "--near-duplicates was not given, is 0.8"},
    {[](Asked& a) { a.options.shard_tokens = 1000; }, "--shard-tokens was not given, is 1000"},
    {[](Asked& a) { a.header.created_by = "pretrain 2.0"; },
     "the program was pretrain 1.0, is pretrain 2.0"},
};

TEST(BuildIdentity, EachChoiceIsNamedInTheWordsOfTheCommandLine) {
  for (const Change& change : kChanges) {
    Asked asked = plain();
    change.make(asked);
    EXPECT_EQ(difference(plain().choices(), asked.choices()), change.said);
    EXPECT_EQ(difference(asked.choices(), asked.choices()), "");
    EXPECT_NE(difference(asked.choices(), plain().choices()), "") << change.said;
  }
  EXPECT_EQ(plain().choices().size() + 1, std::size(kChanges));  // --special is one of --tokenizer
}

TEST(BuildIdentity, WhatDoesNotChangeTheBytesMayChange) {
  Asked asked = plain();
  asked.options.tokenizer = "copy/of/byte.json";
  asked.options.jobs = 7;
  asked.options.part_bytes = 1;
  asked.options.duplicates.max_bytes = 1;
  asked.options.force = true;
  EXPECT_EQ(difference(plain().choices(), asked.choices()), "");
}

TEST(BuildIdentity, AChoiceThatIsNewWasNotGiven) {
  std::vector<BuildIdentity::Choice> before = plain().choices();
  before.pop_back();
  EXPECT_EQ(difference(before, plain().choices()), "the program was not given, is pretrain 1.0");
}

}  // namespace
}  // namespace pretrain
