#pragma once

#include <string>

namespace pretrain {

/// What a file holds, judged by its name; endings .gz and .zst are set aside.
enum class FileKind {
  kText,    ///< .txt, .text, .md, .rst, .tex, a number or no ending
  kJsonl,   ///< .jsonl, .ndjson
  kJson,    ///< .json: JSON lines, it is hoped; in folders more often settings
  kCsv,     ///< .csv
  kTsv,     ///< .tsv
  kAbout,   ///< README, LICENSE and the like: about the data
  kBinary,  ///< no text: Parquet, PDF, archives, pictures, ...
  kOther,   ///< any other ending: text, if it is meant
};
FileKind file_kind(const std::string& path);

/// Is such a file taken where a folder is named?
bool is_taken_from_folders(FileKind kind);

/// The ending in small letters with its dot, .gz and .zst aside, or the name of a file without one.
std::string file_ending(const std::string& path);

/// For a kBinary file: what it is and how to make text of it, to follow "NAME: ".
std::string binary_advice(const std::string& path);

}  // namespace pretrain
