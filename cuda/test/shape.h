// What k products, added one group of 8 after the other, may be off, in parts of the largest term. Of a group
// and the sum so far, 9 terms, each loses less than 2^-24 of the largest where it is aligned, and the result
// 2^-23: together less than 6.5 2^-23, and always towards 0, so that k/8 groups lose as many times that. An
// emulator that adds exactly, as it does unless told otherwise, is held to 1e-6.
inline double sum_floor(int64_t k) {
  static const char* const sums = std::getenv("SEEKR_EMULATOR_SUMS");
  static const bool exact = emulated() && !(sums && std::string(sums) == "hardware");
  return exact ? 1e-6 : std::max(1e-6, double(k + 7) / 8 * 6.5 / (1 << 23));
}

// What attention's tests vary: packed sequences, heads, scale and window.
#ifndef SEEKR_TEST_SHAPE_H
#define SEEKR_TEST_SHAPE_H
#include "../../native/include/seekr.h"
#include "device.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

// cu [S+1]: where sequences begin, and the end.
struct Shape {
  std::vector<int32_t> cu;
  int64_t NH, NKV, HS, window = 0;
  float scale = float(1 / std::sqrt(double(HS)));
  int64_t N() const { return cu.back(); }
  int64_t S() const { return int64_t(cu.size()) - 1; }
  int64_t row() const { return (NH + 2 * NKV) * HS; }
  // The first key that a query sees.
  int64_t first(int64_t t) const { return window ? std::max<int64_t>(0, t - window + 1) : 0; }
  sk_attention of(float* o, float* lse, const float* qkv) const {
    return {o, lse, qkv, cu.data(), N(), S(), NH, NKV, HS, window, scale};
  }
  // Of the longest sum that any of the results is.
  double floor() const {
    int64_t longest = HS;
    for (int64_t s = 0; s < S(); s++) longest = std::max<int64_t>(longest, cu[s + 1] - cu[s]);
    return sum_floor(longest * (NH / NKV));
  }
  std::string name() const {
    return "HS " + std::to_string(HS) + " N " + std::to_string(N()) +
           (window ? " window " + std::to_string(window) : "") + " scale " + std::to_string(scale) + " ";
  }
};

#endif
