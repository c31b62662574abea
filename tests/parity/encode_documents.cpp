// Encodes documents with a byte-level BPE tokenizer, for comparisons with other libraries: their
// ids (byte_level_bpe_test.py) and their speed (tests/bench/tokenizer.py).
//
//   encode_documents VOCAB MERGES PATTERN DOCUMENTS IDS THREADS REPEATS
//
// VOCAB and MERGES are vocab.json and merges.txt, or a rank file and "-"; PATTERN is a name of
// split_pattern_names(). DOCUMENTS holds documents, each with its length as u32 in front; to IDS
// the ids of each are written in the same form, unless it is "-". Each of the threads encodes all.
// Prints a JSON line a repeat, with the processor time that a thread took.

#include <time.h>
#include <zlib.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/text/format/rank_file.h"
#include "core/text/format/vocab_merges.h"
#include "core/text/model/bpe.h"

namespace pretrain {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

ByteLevelParts read_parts(const std::string& vocab, const std::string& merges,
                          const std::string& pattern) {
  if (merges == "-") return read_rank_file(read_file(vocab), vocab, pattern, {});
  return read_vocab_and_merges(read_file(vocab), vocab, read_file(merges), merges);
}

struct Documents {
  std::string file;
  std::vector<std::string_view> texts = {};
  std::size_t bytes = 0;

  explicit Documents(const std::string& path) : file(read_file(path)) {
    for (std::size_t at = 0; at < file.size(); at += texts.back().size()) {
      std::uint32_t length = 0;
      std::memcpy(&length, &file[at], sizeof length);
      at += sizeof length;
      texts.push_back(std::string_view(file).substr(at, length));
      bytes += length;
    }
  }
};

struct Run {
  std::vector<std::uint32_t> ids = {};
  std::vector<std::size_t> ends = {};  // of the documents in ids
  double cpu = 0;

  void encode(const ByteLevelBpe& model, const SplitPattern& pattern, const Documents& documents) {
    const double begin = thread_seconds();
    for (const std::string_view text : documents.texts) {
      model.encode_text(pattern, text, ids);
      ends.push_back(ids.size());
    }
    cpu = thread_seconds() - begin;
  }

  void write(const std::string& path) const {
    std::ofstream out(path, std::ios::binary);
    std::size_t begin = 0;
    const auto put = [&out](const std::uint32_t* values, std::size_t count) {
      out.write(reinterpret_cast<const char*>(values),
                static_cast<std::streamsize>(count * sizeof *values));
    };
    for (const std::size_t end : ends) {
      const auto count = static_cast<std::uint32_t>(end - begin);
      put(&count, 1);
      put(ids.data() + begin, count);
      begin = end;
    }
    if (!out.flush()) throw std::runtime_error("cannot write " + path);
  }

  void print(const Documents& documents, double mean_cpu, double wall) const {
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(ids.data()),
                           static_cast<uInt>(ids.size() * sizeof(std::uint32_t)));
    std::printf(
        "{\"bytes\": %zu, \"tokens\": %zu, \"crc32\": %lu, \"cpu\": %.5f, \"wall\": %.5f}\n",
        documents.bytes, ids.size(), crc, mean_cpu, wall);
  }
};

void run(const std::vector<std::string>& words) {
  const ByteLevelParts parts = read_parts(words[0], words[1], words[2]);
  BpeOptions options;
  options.byte_level = true;
  options.ignore_merges = parts.ignore_merges;
  for (const auto& special : parts.specials) options.reserved.push_back(special.second);
  const auto model = make_bpe(parts.vocabulary, parts.merges, options, words[0]);
  const ByteLevelBpe& bpe = *as_byte_level_bpe(*model);
  const SplitPattern pattern = find_split_pattern(split_regex(words[2])).value();
  const Documents documents(words[3]);
  for (int repeat = std::stoi(words[6]); repeat > 0; --repeat) {
    std::vector<Run> runs(std::stoul(words[5]));
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::thread> others;
    for (std::size_t i = 1; i < runs.size(); ++i) {
      others.emplace_back([&, i] { runs[i].encode(bpe, pattern, documents); });
    }
    runs[0].encode(bpe, pattern, documents);
    for (std::thread& other : others) other.join();
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    double cpu = 0;
    for (const Run& one : runs) {
      cpu += one.cpu;
      if (one.ids != runs[0].ids) throw std::runtime_error("threads differ");
    }
    runs[0].print(documents, cpu / static_cast<double>(runs.size()), wall.count());
    if (words[4] != "-") runs[0].write(words[4]);
  }
}

}  // namespace
}  // namespace pretrain

int main(int count, char** arguments) {
  if (count != 8) {
    std::fprintf(stderr,
                 "usage: encode_documents VOCAB MERGES PATTERN DOCUMENTS IDS THREADS REPEATS\n");
    return 2;
  }
  try {
    pretrain::run({arguments + 1, arguments + count});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "encode_documents: %s\n", error.what());
    return 1;
  }
  return 0;
}
