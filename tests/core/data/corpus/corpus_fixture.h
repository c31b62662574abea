#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/data/corpus/corpus.h"
#include "core/data/corpus/corpus_writer.h"

namespace pretrain {

/// Tests that write files: a folder of their own, removed at the end.
class CorpusFixture : public ::testing::Test {
 protected:
  CorpusFixture() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "pretrain_corpus_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~CorpusFixture() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  static std::string read(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  /// Names of all files in the folder, hidden ones too.
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

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

  std::filesystem::path folder_;
};

}  // namespace pretrain
