// What attention's tests vary: packed sequences and heads.
#ifndef SEEKR_TEST_SHAPE_H
#define SEEKR_TEST_SHAPE_H
#include <cstdint>
#include <vector>

// cu [S+1]: where sequences begin, and the end.
struct Shape {
  std::vector<int32_t> cu;
  int64_t NH, NKV, HS;
  int64_t N() const { return cu.back(); }
  int64_t S() const { return int64_t(cu.size()) - 1; }
  int64_t row() const { return (NH + 2 * NKV) * HS; }
};

#endif
