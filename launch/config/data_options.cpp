#include "launch/config/data_options.h"

#include <filesystem>

namespace pretrain {
namespace {

const std::vector<const char*> kSampleUnits{"steps", "tokens", "samples"};
constexpr double kMaxCount = 1e15;

// A folder or a glob has a last part too, perhaps behind a slash.
std::string stem(const std::string& path) {
  std::filesystem::path place(path);
  if (!place.has_filename()) place = place.parent_path();
  return place.stem().string();
}

}  // namespace

void DataSource::visit(OptionVisitor& visitor) {
  visitor.option("path", path,
                 {.meaning = "corpus file (.h5), folder or glob of shards, read in name order",
                  .kind = OptionKind::kPath,
                  .required = true});
  name = stem(path);
  visitor.option("name", name, {.meaning = "label", .default_text = "file's stem"});
  visitor.option("split", split, {.meaning = "part of the corpus", .identity = true});
  visitor.option("weight", weight,
                 {.meaning = "share of the tokens against the other sources'; all or none; 0: not "
                             "before a phase weighs it",
                  .min = 0,
                  .max = 1e9,
                  .null_word = "null",
                  .identity = true});
  visitor.option("max_epochs", max_epochs,
                 {.meaning = "most times it may be repeated; a longer run is refused at the start",
                  .min = 0,
                  .max = 1e9,
                  .null_word = "null"});
}

void DataPhase::visit(OptionVisitor& visitor) {
  visitor.option("from", from,
                 {.meaning = "where it begins: at the first whole step",
                  .choices = kSampleUnits,
                  .required = true,
                  .identity = true});
  visitor.option("weights", weights,
                 {.meaning = "shares of the tokens by source name, {books: 3, wiki: 1}; sources "
                             "left out rest; none: as before",
                  .min = 0,
                  .max = 1e9,
                  .identity = true});
  visitor.option("sequence_length", sequence_length,
                 {.meaning = "a divisor of data.sequence_length: rows are cut into their parts, "
                             "each a sequence of its own; null: whole",
                  .unit = "positions",
                  .kind = OptionKind::kCount,
                  .min = 1,
                  .max = 1 << 24,
                  .null_word = "null",
                  .identity = true});
}

void DataOptions::visit(OptionVisitor& visitor) {
  visitor.option("sequence_length", sequence_length,
                 {.meaning = "row length",
                  .unit = "positions",
                  .kind = OptionKind::kCount,
                  .min = 1,
                  .max = 1 << 24,
                  .identity = true});
  visitor.list("sources", sources,
               {.meaning = "what to train on; the files may move but not change; more may be "
                           "appended with a phase that weighs them",
                .required = true});
  visitor.option("mixing", mixing,
                 {.meaning = "auto: by weight if there are any, else proportional (by size); "
                             "temperature: by min(size, size_cap)^(1 / temperature)",
                  .choices = {"auto", "weights", "proportional", "temperature"},
                  .identity = true});
  visitor.option("temperature", temperature,
                 {.meaning = "of mixing temperature; larger: more equal shares",
                  .min = 1,
                  .max = 1e6,
                  .identity = true});
  visitor.option("size_cap", size_cap,
                 {.meaning = "a larger source counts as if it were so large; not for weights",
                  .unit = "tokens",
                  .kind = OptionKind::kCount,
                  .min = 1,
                  .max = kMaxCount,
                  .null_word = "null",
                  .identity = true});
  visitor.list("phases", phases,
               {.meaning = "later mixtures, in order; may be appended on resume"});
  visitor.option("packing", packing,
                 {.meaning = "packed: documents joined and cut; documents: one a row; first_fit, "
                             "best_fit: several whole ones a row, each its own sequence",
                  .choices = {"packed", "documents", "first_fit", "best_fit"},
                  .identity = true});
  visitor.option(
      "document_mask", document_mask,
      {.meaning = "attention and positions stop at the ends of documents; implied by the other "
                  "packings",
       .identity = true});
  visitor.option(
      "wrap", wrap,
      {.meaning = "marks of sequences; cls_sep: round each one of an encoder; bos_eos: a "
                  "bos before each one of a decoder, the corpus's eos behind documents; "
                  "auto: cls_sep for encoders, else none",
       .choices = {"auto", "none", "cls_sep", "bos_eos"},
       .identity = true});
  visitor.option(
      "shuffle", shuffle,
      {.meaning = "keyed permutation of all rows in each epoch of a source", .identity = true});
  visitor.option("verify", verify,
                 {.meaning = "auto: full digests up to 16 GiB, beyond: sizes and 1 % of the blocks",
                  .choices = {"auto", "full", "sizes"}});
  visitor.option("prefetch", prefetch,
                 {.meaning = "read ahead", .unit = "micro batches", .min = 1, .max = 1024});
  visitor.option("io_threads", io_threads,
                 {.meaning = "that read ahead", .unit = "threads", .min = 1, .max = 256});
}

}  // namespace pretrain
