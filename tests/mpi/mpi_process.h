#pragma once

#include "launch/process/process.h"

namespace pretrain::testing {

/// This rank of the job that runs the tests. Tests are collective: every rank runs the same ones in
/// the same order, and uses EXPECT, never ASSERT, where ranks may differ.
Process& mpi_process();

}  // namespace pretrain::testing
