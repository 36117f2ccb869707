// The threads of a context.
#ifndef SEEKR_POOL_H
#define SEEKR_POOL_H
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace sk {

class Pool {
public:
  // The calling thread counts as one: threads - 1 are started. Throws, with none left behind, when one cannot
  // be.
  explicit Pool(int threads);
  ~Pool();
  Pool(const Pool&) = delete;

  int threads() const { return int(helpers.size()) + 1; }
  // See context.h.
  void run(int64_t tasks, void (*task)(void*, int64_t, int), void* argument);

private:
  void help(int worker);
  void take_tasks(int worker);
  void stop();
  template <class Condition> bool spin_until(Condition condition) const;

  const int spins; // how often a waiting thread looks before it sleeps

  // The current job. Written by run() under the mutex, and only while no helper has joined it.
  void (*task)(void*, int64_t, int) = nullptr;
  void* argument = nullptr;
  int64_t tasks = 0;
  std::exception_ptr failure;
  std::atomic<int64_t> next{0};

  std::mutex mutex;
  std::condition_variable started, finished;
  std::atomic<uint64_t> job{0}; // counts jobs, so that a helper joins each at most once
  bool open = false;            // whether helpers may still join
  std::atomic<int> joined{0};   // helpers at work on it
  bool stopping = false;
  std::vector<std::thread> helpers;
};

} // namespace sk
#endif
