#include "launch/process/process.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <iostream>

namespace pretrain {
namespace {

// Every process under test is a child, as it ends itself.
void with_process(const std::function<void(Process&)>& body) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK",
                           "PMI_SIZE", "SLURM_NTASKS", "SLURM_STEP_NUM_TASKS"}) {
    unsetenv(name);
  }
  int argc = 0;
  char** argv = nullptr;
  Process process(argc, argv);
  body(process);
}

TEST(ProcessDeathTest, WithoutLauncherItIsAWorldOfOne) {
  EXPECT_EXIT(with_process([](Process& process) {
                const bool right = process.world() == 1 && process.rank() == 0 &&
                                   process.local_size() == 1 && process.local_rank() == 0 &&
                                   process.control().size() == 1 && !process.host().empty();
                Process::end(right ? 0 : 1);
              }),
              ::testing::ExitedWithCode(0), "");
}

TEST(ProcessDeathTest, EndsWithTheGivenCodeAndWhatWasPrinted) {
  EXPECT_EXIT(with_process([](Process&) {
                std::cerr << "last words";
                Process::end(75);
              }),
              ::testing::ExitedWithCode(75), "last words");
}

TEST(ProcessDeathTest, AbortSaysWhy) {
  EXPECT_EXIT(with_process([](Process&) { Process::abort(71, "out of memory"); }),
              ::testing::ExitedWithCode(71), "out of memory\n");
}

TEST(ProcessDeathTest, UsesTheCoresItIsBoundTo) {
  EXPECT_EXIT(with_process([](Process& process) {
                cpu_set_t own;
                sched_getaffinity(0, sizeof(own), &own);
                Process::end(process.threads_per_rank() == CPU_COUNT(&own) ? 0 : 1);
              }),
              ::testing::ExitedWithCode(0), "");
  const auto bound_to_one = [] {
    const int core = sched_getcpu();
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(core), &one);
    sched_setaffinity(0, sizeof(one), &one);
    with_process([core](Process& process) {
      const bool right =
          process.threads_per_rank() == 1 && process.binding() == concat("1 core (", core, ")");
      Process::end(right ? 0 : 1);
    });
  };
  EXPECT_EXIT(bound_to_one(), ::testing::ExitedWithCode(0), "");
}

TEST(ProcessDeathTest, ASingletonOfAJobDoesNotTrain) {
  const auto singleton = [] {
    with_process([](Process& process) {
      setenv("SLURM_NTASKS", "8", 1);
      int argc = 0;
      char** argv = nullptr;
      Process of_a_job(argc, argv);
      try {
        of_a_job.check_launch({});
      } catch (const Error& error) {
        Process::abort(static_cast<int>(error.code()), error.what());
      }
      process.end(0);
    });
  };
  EXPECT_EXIT(singleton(), ::testing::ExitedWithCode(69), "Slurm started 8 tasks");
}

}  // namespace
}  // namespace pretrain
