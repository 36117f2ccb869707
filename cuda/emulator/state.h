// The block that runs now, for block.cpp and warp.cpp.
#ifndef SEEKR_EMULATOR_STATE_H
#define SEEKR_EMULATOR_STATE_H
#include "block.h"
#include "fiber.h"
#include <deque>
#include <vector>

namespace sk {
namespace emulator {

// A 16-byte copy that has not arrived.
struct Copy {
  void* to;
  const void* from;
  bool valid;
};

struct Thread {
  enum State { READY, BARRIER, WARP, DONE } state = READY;
  const void* place = nullptr; // of the barrier it waits at
  std::vector<Copy> open;      // copies issued and not committed
  std::deque<std::vector<Copy>> groups;
};

// A warp operation on its way: the lane that comes last computes for all.
struct Warp {
  enum Operation { NONE, SHUFFLE, LDMATRIX, LDMATRIX_TRANSPOSED, MMA } operation = NONE;
  int arrived = 0;
  void* lanes[32] = {}; // each lane's operands, on its own stack
};

struct Block {
  const Launch* launch = nullptr;
  unsigned index[3] = {};
  int current = 0; // thread
  bool failed = false;
  unsigned char* shared = nullptr;
  void* meeting = nullptr; // where its threads meet at barriers
  Fiber scheduler;
  std::vector<Fiber> fibers;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::vector<int> ready;
};
extern Block block;

void leave();

} // namespace emulator
} // namespace sk
#endif
