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
  const Kernels* kernels;
};

} // namespace sk

struct sk_context {
  sk::InstructionSet isa;
  sk::Pool pool;
  std::vector<sk::Scratch> scratch; // one a worker
  sk::Scratch shared;
  std::mutex busy; // one kernel at a time

  sk_context(sk::InstructionSet isa, int threads) : isa(isa), pool(threads), scratch(threads) {}
};
#endif
