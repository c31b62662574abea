#include "core/metrics/console.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

namespace pretrain {
namespace {

TrainRecord example() {
  TrainRecord record;
  record.at.step = 1200;
  record.loss = 3.41234;
  record.lr = 2.9e-4;
  record.grad_norm = 0.8122;
  record.tok_per_s = 41234;
  record.mfu = 0.3809;
  record.mem_gib = 9.8;
  record.mean.step = 0.5;
  record.mean.data = 0.002;
  return record;
}

const RunScale kScale{10000, 12.0};
constexpr const char* kLine =
    "step 1200/10000 12.0% | loss 3.412 | lr 2.9e-04 | gnorm 0.81 | 41.2k tok/s | MFU 38.1% | "
    "mem 9.8/12 GiB | data 0.4% | ETA 1h02m";

TEST(ConsoleTest, TrainLine) { EXPECT_EQ(console_line(example(), kScale, 3725), kLine); }

TEST(ConsoleTest, UnknownValuesAreDashes) {
  TrainRecord record = example();
  record.mfu.reset();
  record.mean = {};
  record.loss = std::nan("");
  EXPECT_EQ(console_line(record, {}, std::nullopt),
            "step 1200/-- -- | loss nan | lr 2.9e-04 | gnorm 0.81 | 41.2k tok/s | MFU -- | "
            "mem 9.8/-- GiB | data -- | ETA --");
}

TEST(ConsoleTest, EvalLine) {
  EvalRecord record;
  record.set = "valid";
  record.at.step = 500;
  record.loss = 2.3449;
  record.ppl = 10.433;
  record.bpb = 1.2341;
  record.t_eval = 3.21;
  EXPECT_EQ(console_line(record),
            "eval valid step 500 | loss 2.345 | ppl 10.43 | bpb 1.234 | 3.2 s");
  record.acc = 0.5;
  record.bpb.reset();
  EXPECT_EQ(console_line(record),
            "eval valid step 500 | loss 2.345 | ppl 10.43 | acc 50.0% | 3.2 s");
}

TEST(ConsoleTest, BarGrowsAndIsCut) {
  TrainRecord record = example();
  EXPECT_EQ(console_bar(record, kScale, 3725, 200),
            "step 1200/10000 [##------------------] 12.0% | loss 3.412 | 41.2k tok/s | ETA 1h02m");
  record.at.step = 10000;
  EXPECT_EQ(console_bar(record, kScale, 0, 37), "step 10000/10000 [###################");
  record.at.step = 20000;  // a prolonged run must not write past the bar
  EXPECT_EQ(console_bar(record, kScale, 0, 39), "step 20000/10000 [####################]");
  EXPECT_EQ(console_bar(record, {}, 0, 39), "step 20000/-- [--------------------] --");
}

TEST(ConsoleTest, StyleFollowsOptionAndTerminal) {
  EXPECT_EQ(console_style("auto", true), ConsoleStyle::kBar);
  EXPECT_EQ(console_style("auto", false), ConsoleStyle::kLine);
  EXPECT_EQ(console_style("bar", true), ConsoleStyle::kBar);
  EXPECT_EQ(console_style("bar", false), ConsoleStyle::kLine);
  EXPECT_EQ(console_style("line", true), ConsoleStyle::kLine);
  EXPECT_EQ(console_style("none", true), ConsoleStyle::kNone);
}

TEST(ConsoleTest, LinesHaveNoCarriageReturn) {
  std::ostringstream out;
  {
    Console console(ConsoleStyle::kLine, out, kScale);
    console.train(example(), 3725);
    console.print("saved\x1b[2J");
  }
  EXPECT_EQ(out.str(), std::string(kLine) + "\nsaved\\x1b[2J\n");
}

TEST(ConsoleTest, BarStaysOnItsLineAndGivesWay) {
  std::ostringstream out;
  {
    Console console(ConsoleStyle::kBar, out, kScale);
    console.train(example(), 3725);
    EXPECT_EQ(out.str().find('\n'), std::string::npos);
    console.print("saved");
    EXPECT_EQ(out.str().substr(out.str().size() - 10), "\r\x1b[Ksaved\n");
    console.train(example(), 3725);
  }
  EXPECT_EQ(out.str().back(), '\n');
}

TEST(ConsoleTest, NoneIsSilent) {
  std::ostringstream out;
  {
    Console console(ConsoleStyle::kNone, out, kScale);
    console.train(example(), 1);
    console.print("x");
  }
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace pretrain
