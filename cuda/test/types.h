// What tests of every element type share.
#ifndef SEEKR_TEST_TYPES_H
#define SEEKR_TEST_TYPES_H
#include "../../native/test/check.h"
#include "device.h"
#include <cmath>
#include <string>

template <class T> std::vector<T> narrowed(const std::vector<float>& x) {
  std::vector<T> y;
  for (float v : x) y.push_back(sk::from_float<T>(v));
  return y;
}
template <class T> std::vector<float> widened(const std::vector<T>& x) {
  std::vector<float> y;
  for (T v : x) y.push_back(sk::to_float(v));
  return y;
}
template <class T> double rounded(double x) { return double(sk::to_float(sk::from_float<T>(float(x)))); }

// An array on the device, and what it held at first.
template <class T> struct Array {
  std::vector<float> was;
  OnDevice<T> now;
  explicit Array(const std::vector<T>& x) : was(widened(x)), now(x) {}
  Array(Random& random, int64_t n, float size = 1) : Array(narrowed<T>(random.normals(n, size))) {}
  float* f() const { return now.f(); }
  double operator[](int64_t i) const { return double(was[size_t(i)]); }
  std::vector<float> get() const { return widened(now.get()); }
};
// The same, NaN at first.
template <class T> std::vector<T> unwritten(int64_t n) {
  return std::vector<T>(size_t(n), sk::from_float<T>(NAN));
}

// Never null, as arrays of none may not be.
inline const int32_t* indices(const std::vector<int32_t>& x) {
  static const int32_t none = 0;
  return x.empty() ? &none : x.data();
}

// Elements of T against double: as near as twice what rounding makes of the largest.
template <class T>
void check_near(const std::string& name, const Array<T>& got, const std::vector<double>& exact,
                double floor = 1e-6) {
  std::vector<float> plain;
  for (double x : exact) plain.push_back(float(rounded<T>(x)));
  const std::vector<float> x = got.get();
  check(x.size() == exact.size(), "%s: %zu elements, not %zu", name.c_str(), x.size(), exact.size());
  check_close(name, x.data(), exact.data(), plain.data(), int64_t(exact.size()), floor);
}

// Calls f(T(), context, name of T) for every element type.
template <class F> void each_type(F f) {
  auto one = [&](auto element, int number, const char* type) {
    Context ctx(number);
    f(element, ctx.ctx, std::string(type));
  };
  one(float(), 0, "f32 ");
  one(sk::bf16(), 1, "bf16 ");
  one(sk::f16(), 2, "f16 ");
}

// What an op has begun ends well.
inline void check_done(int status, const char* name) {
  check_ok(status, name);
  const int end = sk::driver().cuStreamSynchronize(nullptr);
  const char* words = "";
  if (end) sk::driver().cuGetErrorString(end, &words);
  check(end == 0, "%s: the device ends with %d, %s", name, end, words);
}

#endif
