#include <gtest/gtest.h>

#include <iostream>

#include "tests/mpi/mpi_process.h"

namespace pretrain::testing {
namespace {

Process* g_process = nullptr;

// Lets rank 0 print the failures of the other ranks after each test.
class OtherRanksFailures : public ::testing::EmptyTestEventListener {
  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    if (!result.failed()) return;
    const char* file = result.file_name() != nullptr ? result.file_name() : "";
    failures_ += concat(file, ":", result.line_number(), ": ", result.message(), "\n");
  }
  void OnTestEnd(const ::testing::TestInfo&) override {
    const auto all = all_gather_text(g_process->control(), failures_);
    for (std::size_t r = 1; r < all.size() && g_process->rank() == 0; ++r) {
      if (!all[r].empty()) std::cout << "on rank " << r << ": " << all[r];
    }
    failures_.clear();
  }
  std::string failures_;
};

}  // namespace

Process& mpi_process() { return *g_process; }

}  // namespace pretrain::testing

int main(int argc, char** argv) {
  using pretrain::testing::g_process;
  pretrain::retain_memory();
  try {
    pretrain::Process process(argc, argv);
    g_process = &process;
    ::testing::InitGoogleTest(&argc, argv);
    auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
    if (process.rank() != 0) {
      delete listeners.Release(listeners.default_result_printer());
      // Writes the file of GTEST_OUTPUT, which is one for all ranks.
      delete listeners.Release(listeners.default_xml_generator());
    }
    listeners.Append(new pretrain::testing::OtherRanksFailures);
    std::int64_t failed = RUN_ALL_TESTS();
    pretrain::all_reduce_max(process.control(), {&failed, 1});
    pretrain::Process::end(static_cast<int>(failed));
  } catch (const pretrain::Error& error) {
    pretrain::Process::abort(static_cast<int>(error.code()), error.what());
  }
}
