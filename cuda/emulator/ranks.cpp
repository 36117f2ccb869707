// See ranks.h.
#include "ranks.h"
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace sk {
namespace emulator {

// Zero is what it begins as.
struct Ranks::Desk {
  enum State { THERE, LEFT, FAILED };
  std::atomic<int> pid, of, state;
  std::atomic<unsigned> meetings;
  char words[400];
  alignas(4096) char room[ROOM];
};
static constexpr int MOST = 64;

static std::chrono::seconds patience() {
  const char* words = std::getenv("SEEKR_EMULATOR_PATIENCE");
  return std::chrono::seconds(words ? std::atoi(words) : 600);
}

// Names that this process made and that nobody may have met under when it ends.
struct Names {
  std::vector<std::string> all;
  ~Names() {
    for (const std::string& name : all) shm_unlink(name.c_str());
  }
};

std::string Ranks::make() {
  static Names made;
  std::random_device random;
  char name[64];
  std::snprintf(name, sizeof name, "/seekr-ranks-%d-%08x%08x", int(getpid()), random(), random());
  const int file = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
  if (file < 0 || ftruncate(file, off_t(MOST * sizeof(Desk))) != 0)
    throw Fault{SYSTEM_ERROR, std::string("no shared memory: ") + std::strerror(errno)};
  ::close(file);
  made.all.push_back(name);
  return name;
}

Ranks::Ranks(const std::string& name, int rank, int ranks) : rank(rank), ranks(ranks), name(name) {
  if (ranks < 1 || ranks > MOST || rank < 0 || rank >= ranks)
    throw Fault{INVALID_ARGUMENT, "rank " + std::to_string(rank) + " of " + std::to_string(ranks)};
  const int file = name.rfind("/seekr-ranks-", 0) == 0 ? shm_open(name.c_str(), O_RDWR, 0600) : -1;
  if (file < 0) throw Fault{SYSTEM_ERROR, "nobody meets under this id (any more): it is of an earlier start"};
  memory = mmap(nullptr, MOST * sizeof(Desk), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (memory == MAP_FAILED)
    throw Fault{SYSTEM_ERROR, std::string("no shared memory: ") + std::strerror(errno)};
  int nobody = 0;
  if (!desk(rank).pid.compare_exchange_strong(nobody, int(getpid()))) {
    munmap(memory, MOST * sizeof(Desk));
    throw Fault{INVALID_USAGE, "rank " + std::to_string(rank) + " is there already"};
  }
  desk(rank).of = ranks;
}

Ranks::~Ranks() {
  leave();
  munmap(memory, MOST * sizeof(Desk));
}

Ranks::Desk& Ranks::desk(int r) const { return static_cast<Desk*>(memory)[r]; }
char* Ranks::room(int r) const { return desk(r).room; }
void Ranks::close() const { shm_unlink(name.c_str()); }
void Ranks::leave() {
  int there = Desk::THERE;
  desk(rank).state.compare_exchange_strong(there, Desk::LEFT);
}
void Ranks::tell(const std::string& fault) {
  Desk& mine = desk(rank);
  if (mine.state == Desk::FAILED) return;
  std::snprintf(mine.words, sizeof mine.words, "%s", fault.c_str());
  mine.state = Desk::FAILED;
}

// Of one that is being waited for.
void Ranks::look_at(int r) const {
  const Desk& other = desk(r);
  const std::string who = "rank " + std::to_string(r);
  if (other.state == Desk::FAILED) throw Fault{REMOTE_ERROR, who + " failed: " + other.words};
  if (other.state == Desk::LEFT) throw Fault{REMOTE_ERROR, who + " has left"};
  const int pid = other.pid, of = other.of;
  if (pid && kill(pid, 0) != 0 && errno == ESRCH)
    throw Fault{REMOTE_ERROR, who + ", process " + std::to_string(pid) + ", has ended"};
  if (of && of != ranks)
    throw Fault{INVALID_USAGE,
                who + " is one of " + std::to_string(of) + " ranks, not of " + std::to_string(ranks)};
}

void Ranks::meet() {
  const unsigned mine = ++desk(rank).meetings;
  const auto end = std::chrono::steady_clock::now() + patience();
  for (int r = 0; r < ranks; r++)
    for (int i = 0; desk(r).meetings < mine; i++) {
      if (i % 64 == 63) look_at(r);
      if (i > 64) usleep(100);
      if (std::chrono::steady_clock::now() > end)
        throw Fault{REMOTE_ERROR, "rank " + std::to_string(r) + " has not come"};
    }
}

} // namespace emulator
} // namespace sk
