// One job at a time: the caller opens it, helpers that are awake join, all take tasks from one counter, and
// the caller closes it once the counter has run out. It waits only for those that joined: a helper that the
// system has not yet woken costs nothing.
#include "pool.h"
#include <csignal>
#include <pthread.h>
#include <sched.h>
#include <utility>

namespace sk {

// A waiting thread spins for some milliseconds, longer than the gap between two kernels: one that slept may
// be woken on the CPU of the thread that woke it, and share it for milliseconds while another stands idle.
// Where threads outnumber CPUs a spinning one is in the way of the rest, so there it is 20 microseconds.
static constexpr int LONG = 50000, SHORT = 500;

static int spins_for(int threads) {
  cpu_set_t cpus;
  return sched_getaffinity(0, sizeof cpus, &cpus) == 0 && threads > CPU_COUNT(&cpus) ? SHORT : LONG;
}

template <class Condition> bool Pool::spin_until(Condition condition) const {
  for (int i = 0; i < spins; i++) {
    if (condition()) return true;
    __builtin_ia32_pause();
  }
  return false;
}

Pool::Pool(int threads) : spins(spins_for(threads)) {
  // Signals are for the threads of the program.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    for (int worker = 1; worker < threads; worker++) helpers.emplace_back(&Pool::help, this, worker);
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    stop();
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Pool::~Pool() { stop(); }

void Pool::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stopping = true;
    job.fetch_add(1);
  }
  started.notify_all();
  for (std::thread& helper : helpers) helper.join();
  helpers.clear();
}

void Pool::run(int64_t tasks, void (*task)(void*, int64_t, int), void* argument) {
  if (tasks <= 1 || helpers.empty()) {
    for (int64_t i = 0; i < tasks; i++) task(argument, i, 0);
    return;
  }
  {
    std::lock_guard<std::mutex> lock(mutex);
    this->task = task;
    this->argument = argument;
    this->tasks = tasks;
    failure = nullptr;
    next.store(0);
    open = true;
    job.fetch_add(1);
  }
  if (tasks > int64_t(helpers.size())) started.notify_all();
  else
    for (int64_t i = 1; i < tasks; i++) started.notify_one();

  take_tasks(0);
  {
    std::lock_guard<std::mutex> lock(mutex);
    open = false;
  }
  auto done = [this] { return joined.load() == 0; };
  spin_until(done);
  std::unique_lock<std::mutex> lock(mutex);
  finished.wait(lock, done);
  if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
}

void Pool::take_tasks(int worker) {
  try {
    for (int64_t i; (i = next.fetch_add(1)) < tasks;) task(argument, i, worker);
  } catch (...) {
    std::lock_guard<std::mutex> lock(mutex);
    if (!failure) failure = std::current_exception();
    next.store(tasks); // the rest is pointless
  }
}

void Pool::help(int worker) {
  uint64_t seen = 0;
  for (;;) {
    auto called = [&] { return job.load() != seen; };
    spin_until(called);
    {
      std::unique_lock<std::mutex> lock(mutex);
      started.wait(lock, called);
      seen = job.load();
      if (stopping) return;
      if (!open) continue;
      joined.fetch_add(1);
    }
    take_tasks(worker);
    std::lock_guard<std::mutex> lock(mutex);
    if (joined.fetch_sub(1) == 1) finished.notify_one();
  }
}

} // namespace sk
