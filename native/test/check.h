// Checks shared by the tests: named, counted, NaN fails, and buffers that notice a write outside.
#ifndef SEEKR_CHECK_H
#define SEEKR_CHECK_H
#include "../include/seekr.h"
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

// Counts one check; prints it when it fails.
void check(bool ok, const char* format, ...) __attribute__((format(printf, 2, 3)));
// The call must have failed, and told so in words that contain `message`.
void check_error(int status, const char* message);
// kernel(ctx, &arguments), where `change` was done to a member of them, must fail so.
#define CHECK_REFUSED(kernel, ctx, arguments, change, message) \
  do {                                                         \
    auto changed = arguments;                                  \
    changed.change;                                            \
    check_error(kernel(ctx, &changed), message);               \
  } while (0)
// The call must have succeeded.
void check_ok(int status, const char* name);

// One check over n elements: |got - exact| <= 2 max |plain - exact| + floor * (1 + max |exact|), where plain
// is a plain float implementation. Fails on NaN, and where exact, plain or floor is not finite, since then
// anything would be near enough. plain may be null: then floor alone decides.
void check_close(const std::string& name, const float* got, const double* exact, const float* plain,
                 int64_t n, double floor = 1e-7);
void check_close(const std::string& name, const double* got, const double* exact, int64_t n, double relative);
// What these say when they fail; empty when they do not.
std::string difference(const float* got, const double* exact, const float* plain, int64_t n, double floor);
std::string difference(const double* got, const double* exact, int64_t n, double relative);
// One check: the same bits.
void check_same(const std::string& name, const void* a, const void* b, int64_t bytes);

// An array between two guards, filled with NaN so that nothing unwritten goes unseen; check_guards() at the
// end of its life is one check.
template <class T> class Guarded {
  static constexpr int64_t G = 64 / sizeof(T) * 2;
  std::vector<T> memory;
  const char* name;
  static T canary() {
    T t;
    for (size_t i = 0; i < sizeof t; i++) reinterpret_cast<unsigned char*>(&t)[i] = 0xA7;
    return t;
  }
  static bool intact(const T& t) {
    for (size_t i = 0; i < sizeof t; i++)
      if (reinterpret_cast<const unsigned char*>(&t)[i] != 0xA7) return false;
    return true;
  }

public:
  int64_t n;
  // The data begin `offset` elements past an alignment boundary: kernels must not rely on alignment.
  explicit Guarded(const char* name, int64_t n, T value = std::numeric_limits<T>::quiet_NaN())
      : memory(n + 2 * G + 1, canary()), name(name), n(n) {
    for (int64_t i = 0; i < n; i++) data()[i] = value;
  }
  Guarded(const char* name, const std::vector<T>& from) : Guarded(name, int64_t(from.size())) {
    for (int64_t i = 0; i < n; i++) data()[i] = from[i];
  }
  Guarded(const Guarded&) = delete;
  T* data() { return memory.data() + G + 1; }
  operator T*() { return data(); }
  std::vector<T> copy() { return std::vector<T>(data(), data() + n); }
  ~Guarded() {
    bool ok = true;
    for (int64_t i = 0; i <= G; i++) ok &= intact(memory[i]);
    for (int64_t i = G + 1 + n; i < int64_t(memory.size()); i++) ok &= intact(memory[i]);
    check(ok, "%s: nothing written outside", name);
  }
};

// A small deterministic generator.
struct Random {
  uint64_t state;
  explicit Random(uint64_t seed = 1) : state(seed * 0x9E3779B97F4A7C15ull + 1) {}
  uint64_t next();
  int64_t below(int64_t n) { return int64_t(next() % uint64_t(n)); }
  double uniform(); // [0, 1)
  float normal();   // mean 0, variance 1
  std::vector<float> normals(int64_t n, float scale = 1, float mean = 0);
};

// Calls f for a context of every instruction set of this CPU and 1, 2 and 3 threads; label is, for example,
// "avx2/3".
void each_context(const std::function<void(sk_context*, const std::string& label)>& f);

// What f returns (the bytes of its outputs) must be the same when called twice, and for 1, 2 and 3 threads of
// an instruction set.
void check_deterministic(const std::string& name, const std::function<std::vector<float>(sk_context*)>& f);
std::vector<std::string> instruction_sets();

// The sgemm used by tests of sk_matmul.
sk_sgemm naive_sgemm;

#endif
