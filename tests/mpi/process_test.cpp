#include "launch/process/process.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "core/run/flags_record.h"
#include "tests/mpi/mpi_process.h"

namespace pretrain::testing {
namespace {

TEST(MpiProcessTest, KnowsItsPlace) {
  Process& process = mpi_process();
  EXPECT_EQ(process.world(), std::atoi(std::getenv("OMPI_COMM_WORLD_SIZE")));
  EXPECT_EQ(process.rank(), std::atoi(std::getenv("OMPI_COMM_WORLD_RANK")));
  EXPECT_EQ(process.local_size(), std::atoi(std::getenv("OMPI_COMM_WORLD_LOCAL_SIZE")));
  EXPECT_EQ(process.local_rank(), std::atoi(std::getenv("OMPI_COMM_WORLD_LOCAL_RANK")));
  EXPECT_FALSE(process.host().empty());
}

TEST(MpiProcessTest, RanksOfAHostDivideItsCores) {
  Process& process = mpi_process();
  double threads = process.threads_per_rank();
  all_reduce_sum(process.control(), {&threads, 1});
  const double cores = static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
  EXPECT_LE(threads, std::max(cores, static_cast<double>(process.world())));
  EXPECT_NE(process.binding().find("core"), std::string::npos);
}

TEST(MpiProcessTest, EqualRanksPassTheLaunchCheck) {
  EXPECT_NO_THROW(mpi_process().check_launch(build_facts("1.0")));
}

// A signal that reaches one rank becomes everybody's stop request at the next decision point.
TEST(MpiProcessTest, OneRanksSignalStopsAll) {
  Process& process = mpi_process();
  const int signalled = process.world() - 1;
  if (process.rank() == signalled) raise(SIGUSR1);
  FlagsRecord mine;
  mine.step = 3;
  mine.stop_request = static_cast<std::uint8_t>(process.stop_request());
  EXPECT_EQ(mine.stop_request, process.rank() == signalled ? 3 : 0);
  EXPECT_EQ(exchange(process.control(), mine).stop_request, 3);
}

}  // namespace
}  // namespace pretrain::testing
