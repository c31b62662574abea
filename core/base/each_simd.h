#pragma once

/// Before a function: compiles it once an instruction set, and the start of the program picks the
/// widest that this CPU has. What the function calls must be inlined to share in it. x86-64 only.
#define PRETRAIN_EACH_SIMD \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
