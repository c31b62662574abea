// How fast one thread turns random rows of a corpus into tensors: beside memcpy of the same bytes.
//
//   ninja -C build loader_bench && build/tests/loader_bench [MILLIONS OF TOKENS]
//
// Times are processor time of the thread, so that other work on the machine counts little.

#include <ATen/Parallel.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <functional>
#include <numeric>

#include "core/base/random.h"
#include "core/batch_reader.h"
#include "core/data/corpus/corpus_writer.h"
#include "core/data/packing/packing.h"
#include "tests/objectives/tiny_objective.h"

namespace pretrain {
namespace {

constexpr std::uint64_t kVocab = 50304;
constexpr std::int64_t kMicroBatch = 16;
constexpr int kRounds = 5;

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::string make_corpus(const std::string& folder, std::uint64_t tokens) {
  const std::string path = folder + "/bench.h5";
  CorpusWriter writer(path, {kVocab, -1, "bench", "bench"}, true);
  RandomStream random(1, RandomPurpose::kTest, 0);
  std::uint64_t documents = 0;
  std::vector<std::uint32_t> ids(1000);
  for (std::uint64_t done = 0; done < tokens; done += ids.size(), ++documents) {
    for (std::uint32_t& id : ids) {
      id = testing::kFirstOrdinary +
           random.next_u32() % static_cast<std::uint32_t>(kVocab - testing::kFirstOrdinary);
    }
    writer.add_document(ids, ids.size());
  }
  writer.finish({{"train", {{0, documents}}}}, "{}\n", {});
  return path;
}

// Best of several rounds, in millions of tokens a second.
void measure(const char* what, std::int64_t batches, std::int64_t tokens,
             const std::function<void(std::uint64_t sample)>& read) {
  double best = 0;
  std::uint64_t sample = 0;
  for (int round = 0; round < kRounds; ++round) {
    const double start = thread_seconds();
    for (std::int64_t i = 0; i < batches; ++i, sample += kMicroBatch) read(sample);
    const double seconds = thread_seconds() - start;
    best = std::max(best, static_cast<double>(batches * tokens) / seconds / 1e6);
  }
  std::printf("%-44s %8.0f Mtok/s\n", what, best);
}

void measure_objective(const char* what, const char* objective_name, std::int64_t length,
                       const std::vector<CorpusSplit>& shards, bool announce) {
  const auto objective = testing::make_tiny_objective(objective_name, kVocab, length);
  const auto rows = pack_rows(Packing::kPacked, shards, objective->row_shape());
  const BatchReader reader({rows.get()}, SamplePlan(1, true, {{rows->size()}}, {{0, {1}}}),
                           *objective);
  measure(what, 40 * 1024 / length * 4, kMicroBatch * length, [&](std::uint64_t sample) {
    if (announce) reader.announce(sample, kMicroBatch);
    reader.batch(sample, kMicroBatch);
  });
}

void run(std::uint64_t tokens) {
  at::set_num_threads(1);
  const auto folder =
      std::filesystem::temp_directory_path() / ("loader_bench." + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const auto corpus = Corpus::open(make_corpus(folder, tokens), CorpusVerification::kFull);
  const std::vector<CorpusSplit> shards{{corpus, "train"}};
  const TokenDataset dataset(shards, 1024);
  const SampleOrder order(1, dataset.size(), true);
  std::vector<std::int64_t> row(1025 * kMicroBatch), copy(row.size());
  measure("memcpy of 1,024-token rows as int64", 640, kMicroBatch * 1024, [&](std::uint64_t) {
    std::memcpy(copy.data(), row.data(), row.size() * sizeof(row[0]));
    asm volatile("" : : "r"(copy.data()) : "memory");
  });
  measure("random rows, u16 to int64", 640, kMicroBatch * 1024, [&](std::uint64_t sample) {
    for (std::uint64_t i = 0; i < kMicroBatch; ++i) {
      dataset.read(order.row(sample + i), std::span(row).subspan(i * 1025, 1025));
    }
  });
  measure_objective("causal_lm batches of 1,024", "causal_lm", 1024, shards, false);
  measure_objective("the same, announced to the kernel", "causal_lm", 1024, shards, true);
  measure_objective("masked_lm batches of 1,024", "masked_lm", 1024, shards, false);
  measure_objective("masked_lm batches of 128", "masked_lm", 128, shards, false);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace pretrain

int main(int count, char** words) {
  pretrain::run(1'000'000 * (count > 1 ? std::strtoull(words[1], nullptr, 10) : 256));
  return 0;
}
