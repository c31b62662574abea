#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "core/base/byte_size.h"
#include "core/base/files/pending_file.h"
#include "core/base/logging.h"
#include "core/data/corpus/input/input_files.h"
#include "core/data/corpus/text_reader.h"
#include "core/text/special_vocabulary.h"
#include "core/text/tokenizer.h"
#include "core/text/training/tokenizer_trainer.h"
#include "launch/commands/command_words.h"
#include "launch/commands/tokenizer/tokenizer_command.h"
#include "launch/progress_line.h"

namespace pretrain {
namespace {

std::string kinds_text() {
  std::ostringstream text;
  for (const TrainableKind& kind : trainable_kinds()) {
    text << "  " << std::left << std::setw(12) << kind.name << kind.summary << "\n";
  }
  return text.str();
}

// The documents of all inputs, one after the other; tells how many bytes were read.
class Documents {
 public:
  Documents(std::vector<std::string> inputs, TextFormat format, ProgressFunction report)
      : inputs_(std::move(inputs)), format_(std::move(format)), report_(std::move(report)) {
    for (const std::string& input : inputs_) {
      std::error_code error;
      const auto size = std::filesystem::file_size(input, error);
      if (error) {  // a stream: not known
        total_ = 0;
        return;
      }
      total_ += size;
    }
  }

  bool next(std::string& document) {
    while (true) {
      if (!reader_) {
        if (next_input_ == inputs_.size()) return false;
        reader_ = open_documents(inputs_[next_input_++], format_);
      }
      const bool found = reader_->next(document);
      report_({"reading", before_ + reader_->bytes_read(), total_});
      if (found) return true;
      before_ += reader_->bytes_read();
      reader_ = nullptr;
    }
  }

 private:
  std::vector<std::string> inputs_;
  TextFormat format_;
  ProgressFunction report_;
  std::size_t next_input_ = 0;
  std::unique_ptr<DocumentReader> reader_;
  std::uint64_t before_ = 0;  // bytes of the inputs that were read to their end
  std::uint64_t total_ = 0;
};

class Train : public TokenizerCommand {
 public:
  explicit Train(CLI::App& app) {
    app.add_option("KIND", options_.kind, "see below")->required();
    app.add_option("OUT", output_, "tokenizer.json to make")->required();
    app.add_option("INPUT", inputs_, "text, JSONL or CSV files, or folders; - is stdin")
        ->required();
    within(
        app.add_option("--vocab", options_.vocab_size, "ids, as 8k; specials included (by kind)"),
        std::int64_t{1}, std::int64_t{1} << 31);
    app.add_option("--min-count", options_.min_count, "rarest word, or pair to merge")
        ->capture_default_str();
    app.add_flag("--lowercase", options_.lowercase, "make all text lower case");
    app.add_option("--split", options_.split, "bpe: gpt2, cl100k, o200k, llama3, ..., none")
        ->capture_default_str();
    app.add_option("--alphabet", options_.max_characters,
                   "keep only the N most frequent characters");
    app.add_flag("--byte-fallback", options_.byte_fallback, "unigram: bytes for the others");
    app.add_option_function<std::string>(
           "--special",
           [this](const std::string& list) { options_.specials = parse_special_tokens(list); },
           "further special tokens, as for corpus build")
        ->type_name("LIST");
    app.add_option("--format", format_.format, "auto, text, jsonl, csv or tsv")
        ->capture_default_str();
    app.add_option("--doc-sep", format_.doc_sep, "blank, line, file or a text")
        ->capture_default_str();
    app.add_option("--field", format_.field, "JSONL field or CSV column")->capture_default_str();
    app.add_option_function<std::string>(
           "--invalid",
           [this](const std::string& word) { format_.invalid = invalid_text_from(word); },
           "text that is no UTF-8: error, replace or skip")
        ->type_name("WORD");
    app.add_option("--jobs", options_.threads, "threads; 0: all cores; same result");
    app.add_flag("--force", force_, "replace an existing file");
    app.footer("Kinds:\n" + kinds_text() +
               "Example: pretrain tokenizer train bpe data/kjv.json data/kjv.txt --vocab 4096");
  }

  ExitCode run(const Process& process) override {
    if (!force_ && std::filesystem::exists(output_)) {
      fail(ExitCode::kCannotCreate, output_, ": exists already. Remove it or give --force");
    }
    if (std::count(inputs_.begin(), inputs_.end(), "-") > 1) {
      fail(ExitCode::kUsage, "tokenizer train: - is given twice. Keep one");
    }
    if (options_.threads == 0) {
      options_.threads = static_cast<unsigned>(process.threads_per_rank());
    }
    ProgressLine line;
    const ProgressFunction report = line.function();
    const InputFiles inputs = input_files(inputs_, format_.format == "auto");
    if (!inputs.passed_over.empty()) log_warning(passed_over_text(inputs.passed_over));
    Documents documents(inputs.files, format_, report);
    const TrainedTokenizer trained = train_tokenizer(
        options_, [&](std::string& document) { return documents.next(document); },
        [&](const char* phase, std::uint64_t done, std::uint64_t total) {
          report({phase, done, total, "steps"});
        });
    line.clear();
    write(trained.json);
    print(trained);
    return ExitCode::kOk;
  }

 private:
  void write(const std::string& json) const {
    PendingFile file(output_);
    file.content().write(json);
    file.content().sync();
    file.publish();
    file.sync_folder();
  }

  void print(const TrainedTokenizer& trained) const {
    std::cout << output_ << ": " << options_.kind << ", " << trained.vocab_size << " ids, from "
              << plural(trained.documents, "document") << " of " << format_bytes(trained.bytes)
              << ", " << plural(trained.words, "different word") << std::endl;
    if (static_cast<std::uint64_t>(trained.vocab_size) < options_.vocab_size) {
      log_warning(concat(output_, ": --vocab ", options_.vocab_size,
                         " was asked for, the text gives ", trained.vocab_size,
                         ". Train on more text, or lower --min-count"));
    }
    if (trained.dropped > 0) {
      log_warning(concat("the text has too many different words to count all: ", trained.dropped,
                         " places of the rarest were passed over"));
    }
  }

  TrainingOptions options_{.threads = 0};
  TextFormat format_;
  std::string output_;
  std::vector<std::string> inputs_;
  bool force_ = false;
};

}  // namespace

std::unique_ptr<TokenizerCommand> make_train_command(CLI::App& app) {
  return std::make_unique<Train>(app);
}

}  // namespace pretrain
