// What attention's tests vary: packed sequences, heads, scale and window.
#ifndef SEEKR_TEST_SHAPE_H
#define SEEKR_TEST_SHAPE_H
#include "../../native/include/seekr.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
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
  std::string name() const {
    return "HS " + std::to_string(HS) + " N " + std::to_string(N()) +
           (window ? " window " + std::to_string(window) : "") + " scale " + std::to_string(scale) + " ";
  }
};

#endif
