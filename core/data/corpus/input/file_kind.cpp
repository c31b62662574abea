#include "core/data/corpus/input/file_kind.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <string_view>

#include "core/base/error.h"

namespace pretrain {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The file's name in small letters without .gz or .zst.
std::string plain_name(const std::string& path) {
  std::string name = lower(std::filesystem::path(path).filename().string());
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (name.ends_with(packed)) name.resize(name.size() - packed.size());
  }
  return name;
}

const std::set<std::string_view> kTextEndings{"", ".txt", ".text", ".md", ".rst", ".tex"};
const std::set<std::string_view> kAboutNames{"readme", "license", "licence", "copying", "notice"};
const std::set<std::string_view> kArchives{".tar", ".tgz", ".zip", ".7z", ".rar",
                                           ".bz2", ".xz",  ".lz4", ".br"};
const std::set<std::string_view> kDocuments{".pdf", ".doc",  ".docx", ".odt",  ".epub",
                                            ".xls", ".xlsx", ".ppt",  ".pptx", ".djvu"};
const std::set<std::string_view> kBinaries{
    ".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp",         ".tif",  ".tiff",   ".ico",  ".mp3",
    ".wav", ".ogg", ".flac", ".mp4", ".avi",  ".mkv",         ".mov",  ".webm",   ".bin",  ".idx",
    ".npy", ".npz", ".pt",   ".pth", ".pkl",  ".safetensors", ".so",   ".o",      ".a",    ".exe",
    ".dll", ".pyc", ".db",   ".ttf", ".woff", ".woff2",       ".lmdb", ".sqlite", ".model"};
const std::set<std::string_view> kTables{".parquet", ".arrow", ".feather", ".orc", ".avro"};
const std::set<std::string_view> kHdf5{".h5", ".hdf5"};

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::string file_ending(const std::string& path) {
  const std::string name = plain_name(path);
  const std::string ending = std::filesystem::path(name).extension().string();
  return ending.empty() ? name : ending;
}

FileKind file_kind(const std::string& path) {
  const std::filesystem::path name = plain_name(path);
  const std::string ending = name.extension().string();
  if (ending == ".jsonl" || ending == ".ndjson") return FileKind::kJsonl;
  if (ending == ".json") return FileKind::kJson;
  if (ending == ".csv") return FileKind::kCsv;
  if (ending == ".tsv") return FileKind::kTsv;
  for (const auto* endings : {&kArchives, &kDocuments, &kBinaries, &kTables, &kHdf5}) {
    if (endings->contains(ending)) return FileKind::kBinary;
  }
  if (!kTextEndings.contains(ending) && !is_number(ending.substr(1))) return FileKind::kOther;
  return kAboutNames.contains(name.stem().string()) ? FileKind::kAbout : FileKind::kText;
}

bool is_taken_from_folders(FileKind kind) {
  return kind == FileKind::kText || kind == FileKind::kJsonl || kind == FileKind::kCsv ||
         kind == FileKind::kTsv;
}

std::string binary_advice(const std::string& path) {
  const std::string ending = file_ending(path);
  std::string stem = path;
  if (lower(stem).ends_with(ending)) stem.resize(stem.size() - ending.size());
  if (ending == ".parquet") {
    return concat("is Parquet, expected text, JSONL or CSV. Convert it:\n",
                  "python3 -c \"import json, pyarrow.parquet as p; [print(json.dumps(r, "
                  "default=str)) for b in p.ParquetFile('",
                  path, "').iter_batches() for r in b.to_pylist()]\" > ", stem, ".jsonl");
  }
  if (ending == ".pdf") {
    return concat("is PDF, expected text, JSONL or CSV. Convert it, as by: pdftotext ", path);
  }
  const std::string what =
      kArchives.contains(ending)
          ? "is packed as only .gz and .zst can be read. Unpack it, or pipe its text into -"
      : kDocuments.contains(ending)
          ? "is an office document, expected text, JSONL or CSV. Save it as text"
      : kHdf5.contains(ending) ? "is HDF5, as a corpus that is built already; expected text, JSONL "
                                 "or CSV. See it: pretrain corpus info " +
                                     path
      : kTables.contains(ending)
          ? "is a binary table, expected text, JSONL or CSV. Convert it to JSONL"
          : "is a binary file by its name, expected text, JSONL or CSV. Leave it out";
  return what + (kBinaries.contains(ending) ? ", or give --format text" : "");
}

}  // namespace pretrain
