#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/data/corpus/corpus.h"
#include "core/data/corpus/corpus_writer.h"
#include "tests/testing/scratch_folder.h"

namespace pretrain {

/// Tests that write files: a folder of their own, removed at the end.
class CorpusFixture : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_ / name; }
  std::string write(const std::string& name, const std::string& content) const {
    testing::write_file(path(name), content);
    return path(name);
  }
  static std::string read(const std::string& file) { return testing::read_file(file); }
  std::vector<std::string> files() const { return folder_.names(); }

  /// A corpus of the given documents (token ids); `splits` defaults to all of them in train.
  std::string make_corpus(const std::string& name,
                          const std::vector<std::vector<std::uint32_t>>& documents,
                          std::uint64_t vocab_size = 257, std::int64_t eos_id = -1,
                          std::map<std::string, std::vector<DocumentRange>> splits = {}) const {
    CorpusWriter writer(path(name), {vocab_size, eos_id, "test", "test"}, true);
    for (const auto& ids : documents) writer.add_document(ids, ids.size());
    if (splits.empty()) splits["train"] = {{0, documents.size()}};
    writer.finish(splits, "{}\n", {});
    return path(name);
  }

  /// Message of the Error that `act` throws; its code must be `code`.
  static std::string message(const std::function<void()>& act, ExitCode code = ExitCode::kBadData) {
    try {
      act();
    } catch (const Error& error) {
      EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
      return error.what();
    }
    return "no error";
  }

  testing::ScratchFolder folder_;
};

}  // namespace pretrain
