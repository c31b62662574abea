// Encodes documents with a byte-level BPE tokenizer and prints a JSON line: bytes, tokens, CRC-32
// of all ids and the processor time a thread took. tests/bench/tokenizer.py compares it with
// tiktoken.
//
//   tokenizer_bench VOCAB MERGES PATTERN DOCUMENTS THREADS REPEATS
//
// DOCUMENTS is a file of documents, each with its length as u32 in front. Each thread encodes all.

#include <time.h>
#include <zlib.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "core/text/format/vocab_merges.h"
#include "core/text/model/bpe.h"

namespace pretrain {
namespace {

std::string read_file(const char* path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

int run(char** arguments) {
  const ByteLevelParts parts = read_vocab_and_merges(read_file(arguments[1]), arguments[1],
                                                     read_file(arguments[2]), arguments[2]);
  BpeOptions options;
  options.byte_level = true;
  for (const auto& special : parts.specials) options.reserved.push_back(special.second);
  const auto model = make_bpe(parts.vocabulary, parts.merges, options, arguments[1]);
  const ByteLevelBpe& bpe = *as_byte_level_bpe(*model);
  const SplitPattern pattern = find_split_pattern(split_regex(arguments[3])).value();

  const std::string file = read_file(arguments[4]);
  std::vector<std::string_view> documents;
  std::size_t bytes = 0;
  for (std::size_t at = 0; at < file.size(); at += documents.back().size()) {
    std::uint32_t length = 0;
    std::memcpy(&length, &file[at], sizeof length);
    at += sizeof length;
    documents.push_back(std::string_view(file).substr(at, length));
    bytes += length;
  }

  const auto threads = static_cast<std::size_t>(std::stoul(arguments[5]));
  for (int repeat = std::stoi(arguments[6]); repeat > 0; --repeat) {
    std::vector<double> cpu(threads);
    std::vector<std::vector<std::uint32_t>> ids(threads);
    const auto work = [&](std::size_t thread) {
      const double begin = thread_seconds();
      std::vector<std::uint32_t> document_ids;
      for (const std::string_view document : documents) {
        document_ids.clear();
        bpe.encode_text(pattern, document, document_ids);
        ids[thread].insert(ids[thread].end(), document_ids.begin(), document_ids.end());
      }
      cpu[thread] = thread_seconds() - begin;
    };
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::thread> others;
    for (std::size_t thread = 1; thread < threads; ++thread) others.emplace_back(work, thread);
    work(0);
    for (std::thread& other : others) other.join();
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    double total = 0;
    for (const double seconds : cpu) total += seconds;
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(ids[0].data()),
                           static_cast<uInt>(ids[0].size() * sizeof(std::uint32_t)));
    std::printf(
        "{\"bytes\": %zu, \"tokens\": %zu, \"crc32\": %lu, \"cpu\": %.5f, \"wall\": %.5f}\n", bytes,
        ids[0].size(), crc, total / static_cast<double>(threads), wall.count());
  }
  return 0;
}

}  // namespace
}  // namespace pretrain

int main(int count, char** arguments) {
  if (count != 7) {
    std::fprintf(stderr, "usage: %s VOCAB MERGES PATTERN DOCUMENTS THREADS REPEATS\n", *arguments);
    return 2;
  }
  return pretrain::run(arguments);
}
