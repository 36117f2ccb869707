// The inside of a context, for context.cpp and api.cpp.
#ifndef SEEKR_INSTANCE_H
#define SEEKR_INSTANCE_H
#include "kernels.h"
#include "pool.h"

namespace sk {

// Aligned memory that grows and never shrinks.
class Scratch {
  float* memory = nullptr;
  int64_t size = 0;

public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  ~Scratch();
  float* get(int64_t floats);
};

struct InstructionSet {
  const char* name;
  const Kernels* kernels[2]; // of float and of bfloat16 elements
};

// Who multiplies bfloat16: see sk_multiply_by.
enum class Multiplier { AMX, VDPBF16, SGEMM };

} // namespace sk

struct sk_context {
  sk::InstructionSet isa;
  sk::Pool pool;
  std::vector<sk::Scratch> scratch; // one a worker
  sk::Scratch shared;
  std::mutex busy; // one kernel at a time
  int element = 0; // 0 float, 1 bfloat16
  sk::Multiplier multiplier = sk::Multiplier::SGEMM;

  sk_context(sk::InstructionSet isa, int threads) : isa(isa), pool(threads), scratch(threads) {}
};
#endif
