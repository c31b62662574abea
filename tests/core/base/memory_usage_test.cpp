#include "core/base/memory_usage.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "tests/testing/scratch_folder.h"

namespace pretrain {
namespace {

using testing::ScratchFolder;
using testing::write_file;

TEST(MemoryUsageTest, SeesTouchedPages) {
  constexpr std::size_t kBytes = std::size_t{64} << 20;
  const auto before = resident_bytes();
  const auto faults = minor_faults();
  void* pages = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  madvise(pages, kBytes, MADV_NOHUGEPAGE);
  for (std::size_t i = 0; i < kBytes; i += 4096) static_cast<volatile char*>(pages)[i] = 1;
  const auto after = resident_bytes();
  ASSERT_TRUE(before && after);
  EXPECT_GE(*after - *before, std::int64_t{60} << 20);
  EXPECT_GE(peak_resident_bytes(), *after - (std::int64_t{4} << 20));
  EXPECT_GE(minor_faults() - faults, std::int64_t{kBytes / 4096 * 9 / 10});
  munmap(pages, kBytes);
  EXPECT_LT(*resident_bytes(), *after - (std::int64_t{60} << 20));
}

class MemoryLimitTest : public ::testing::Test {
 protected:
  MemoryLimitTest() {
    for (const char* name :
         {"proc", "proc/self", "cg", "cg/memory", "cg/memory/job", "cg/job", "cg/job/step"}) {
      std::filesystem::create_directory(folder_ / name);
    }
    write_file(folder_ / "proc/meminfo", "MemTotal:  1000 kB\nMemFree: 1 kB\n");
  }
  std::optional<std::int64_t> limit() const {
    return memory_limit_bytes(folder_ / "proc", folder_ / "cg");
  }
  ScratchFolder folder_;
};

TEST_F(MemoryLimitTest, MachineWithoutGroups) { EXPECT_EQ(limit(), 1024000); }

TEST_F(MemoryLimitTest, SmallestLimitOfVersionTwoOnThePath) {
  write_file(folder_ / "proc/self/cgroup", "0::/job/step\n");
  write_file(folder_ / "cg/job/step/memory.max", "max\n");
  EXPECT_EQ(limit(), 1024000);
  write_file(folder_ / "cg/job/memory.max", "5000\n");
  EXPECT_EQ(limit(), 5000);
  write_file(folder_ / "cg/job/step/memory.max", "4000\n");
  EXPECT_EQ(limit(), 4000);
}

TEST_F(MemoryLimitTest, VersionOne) {
  write_file(folder_ / "proc/self/cgroup", "9:cpu:/other\n4:hugetlb,memory:/job\n0::/\n");
  write_file(folder_ / "cg/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(limit(), 1024000);
  write_file(folder_ / "cg/memory/job/memory.limit_in_bytes", "7000\n");
  EXPECT_EQ(limit(), 7000);
}

TEST_F(MemoryLimitTest, RootOfAContainerWhoseHostPathIsHidden) {
  write_file(folder_ / "proc/self/cgroup", "0::/docker/abc/../..\n");
  write_file(folder_ / "cg/memory.max", "6000\n");
  EXPECT_EQ(limit(), 6000);
}

TEST_F(MemoryLimitTest, NothingKnown) {
  EXPECT_EQ(memory_limit_bytes(folder_ / "no", folder_ / "no"), std::nullopt);
}

}  // namespace
}  // namespace pretrain
