#include "core/data/corpus/foreign/token_inputs.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "core/base/error.h"
#include "core/data/corpus/foreign/megatron_index.h"

namespace pretrain {
namespace {

std::vector<std::string> expand(const std::string& pattern) {
  if (std::filesystem::exists(pattern) || pattern.find_first_of("*?") == std::string::npos) {
    return {pattern};
  }
  glob_t found{};
  const int status = ::glob(pattern.c_str(), GLOB_ERR, nullptr, &found);
  std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (status != 0 || paths.empty()) {
    fail(ExitCode::kBadData, pattern,
         ": no file has such a name. Check the folder and the pattern");
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// The split that a file's name says in one of its words; "" if none.
std::string named_split(const std::filesystem::path& file) {
  std::string stem = file.stem().string();
  std::replace_if(
      stem.begin(), stem.end(), [](char c) { return c == '_' || c == '-' || c == '.'; }, ' ');
  std::istringstream words(stem);
  for (std::string word; words >> word;) {
    if (word == "val" || word == "valid") return "valid";
    if (word == "train" || word == "test") return word;
  }
  return "";
}

TokenInputs folder_inputs(const std::string& folder) {
  TokenInputs inputs = {{"train", {}}, {"valid", {}}, {"test", {}}};
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".bin") continue;
    const std::string split = named_split(entry.path());
    if (split.empty()) {
      fail(ExitCode::kBadData, entry.path().string(),
           ": names no split, expected a word train, valid, val or test in it. Import it by its "
           "name with --split NAME");
    }
    const auto found = std::find_if(inputs.begin(), inputs.end(),
                                    [&](const auto& input) { return input.first == split; });
    found->second.push_back(entry.path().string());
  }
  for (auto& [split, files] : inputs) std::sort(files.begin(), files.end());
  std::erase_if(inputs, [](const auto& input) { return input.second.empty(); });
  if (inputs.empty()) {
    fail(ExitCode::kBadData, folder, ": holds no .bin file. Name a file, or another folder");
  }
  return inputs;
}

}  // namespace

TokenInputs token_inputs(const std::string& format, const std::vector<std::string>& inputs,
                         const std::string& split) {
  if (format != "megatron" && format != "nanogpt" && format != "llmc") {
    fail(ExitCode::kUsage, format,
         " is no format of token files. Formats: megatron, nanogpt, llmc (text, jsonl: as corpus "
         "build)");
  }
  std::vector<std::string> files;
  for (const std::string& input : inputs) {
    if (format == "megatron") {
      files.push_back(megatron_prefix(input));
    } else if (std::filesystem::is_directory(input)) {
      if (inputs.size() == 1) return folder_inputs(input);
      fail(ExitCode::kUsage, input, ": a folder is imported by itself. Give it alone, or files");
    } else {
      const auto found = expand(input);
      files.insert(files.end(), found.begin(), found.end());
    }
  }
  return {{split, files}};
}

}  // namespace pretrain
