// Processes of one machine that meet in shared memory: the ranks of libnccl.cpp. Who waits for one that has
// ended, left, or met a fault, is told so.
#ifndef SEEKR_EMULATOR_RANKS_H
#define SEEKR_EMULATOR_RANKS_H
#include <cstddef>
#include <string>

namespace sk {
namespace emulator {

struct Fault {
  int status; // ncclResult_t
  std::string words;
};
enum { SYSTEM_ERROR = 2, INVALID_ARGUMENT = 4, INVALID_USAGE = 5, REMOTE_ERROR = 6 };

class Ranks {
public:
  static constexpr size_t ROOM = 1 << 20; // bytes

  // Makes the place where they will meet, and says its name.
  static std::string make();

  // Takes a place there. Throws Fault where there is none of that name (any more), or the rank is taken.
  Ranks(const std::string& name, int rank, int ranks);
  ~Ranks();
  Ranks(const Ranks&) = delete;

  // Returns when all have called it so many times. Throws Fault.
  void meet();
  // The name is free again; for when all are there.
  void close() const;
  void leave();
  void tell(const std::string& fault);
  // A rank's part of the memory, which the others read between two meetings.
  char* room(int rank) const;

  const int rank, ranks;

private:
  struct Desk;
  Desk& desk(int rank) const;
  void look_at(int rank) const;
  const std::string name;
  void* memory;
};

} // namespace emulator
} // namespace sk
#endif
