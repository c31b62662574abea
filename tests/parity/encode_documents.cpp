// Encodes documents, for comparisons with other libraries: of ids (byte_level_bpe_test.py) and of
// speed (tests/bench/tokenizer.py).
//
//   encode_documents TOKENIZER DOCUMENTS IDS THREADS REPEATS
//
// TOKENIZER is what open_tokenizer takes. DOCUMENTS holds documents, each with its length as u32 in
// front; to IDS the ids of each are written in the same form, unless it is "-". Each of the threads
// encodes all. Prints a JSON line a repeat, with the processor time that a thread took.

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

#include "core/text/format/open_tokenizer.h"

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

  void encode(const Tokenizer& tokenizer, const Documents& documents) {
    ids.clear();
    ends.clear();
    const double begin = thread_seconds();
    for (const std::string_view text : documents.texts) {
      tokenizer.encode(text, ids);
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
  const auto tokenizer = open_tokenizer(words[0]);
  const Documents documents(words[1]);
  std::vector<Run> runs(std::stoul(words[3]));  // memory is touched by the first repeat alone
  for (int repeat = std::stoi(words[4]); repeat > 0; --repeat) {
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::thread> others;
    for (std::size_t i = 1; i < runs.size(); ++i) {
      others.emplace_back([&, i] { runs[i].encode(*tokenizer, documents); });
    }
    runs[0].encode(*tokenizer, documents);
    for (std::thread& other : others) other.join();
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    double cpu = 0;
    for (const Run& one : runs) {
      cpu += one.cpu;
      if (one.ids != runs[0].ids) throw std::runtime_error("threads differ");
    }
    runs[0].print(documents, cpu / static_cast<double>(runs.size()), wall.count());
    if (words[2] != "-") runs[0].write(words[2]);
  }
}

}  // namespace
}  // namespace pretrain

int main(int count, char** arguments) {
  if (count != 6) {
    std::fprintf(stderr, "usage: encode_documents TOKENIZER DOCUMENTS IDS THREADS REPEATS\n");
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
