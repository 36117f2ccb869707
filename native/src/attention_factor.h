// What the products of attention multiply: factors, which are floats, or pairs of bfloat16 where the CPU
// multiplies those.
//
// A factor holds TERMS neighbours along K. Packed for products of K = HS or K = rows they are
//   left    [rows, HP / TERMS]   along each row: an A that is read by rows
//   right   [rows / TERMS, HP]   across TERMS rows: a B, or an A that is read by columns
//   transposed   [columns / TERMS, ld]   along each row, which has become a column: a B
// filled up with zeros.
#ifndef SEEKR_ATTENTION_FACTOR_H
#define SEEKR_ATTENTION_FACTOR_H
#include "attention_pack.h"
#if defined(SK_BF16) && defined(__AVX512BF16__)
#include "attention_pair.h"
#else

namespace sk {
namespace SK_ISA {

typedef float F;
typedef vf vF; // W factors
constexpr int64_t TERMS = 1;

SK_INLINE vf add_product(vf sum, vF a, vF b) { return sum + a * b; }

// Elements [j, j + W) of a left row.
SK_INLINE void put_left(F* row, int64_t j, vf v) { store(row + j, v); }

static inline void pack_left(F* out, int64_t HP, const E* x, int64_t ldx, int64_t rows, int64_t n,
                             float scale) {
  for (int64_t r = 0; r < rows; r++) pack_row(out + r * HP, x + r * ldx, n, scale);
}
static inline void pack_right(F* out, int64_t HP, const E* x, int64_t ldx, int64_t rows, int64_t n) {
  pack_left(out, HP, x, ldx, rows, n, 1);
}

// Rows that are a left of one product and a right of another: of floats the same.
struct Sides {
  F *left, *right;
  Sides(float* memory, int64_t, int64_t) : left(memory), right(memory) {}
  void pack(const E* x, int64_t ldx, int64_t rows, int64_t n, int64_t HP, float scale) const {
    pack_left(left, HP, x, ldx, rows, n, scale);
  }
};

// The tiles P and dS [rows, width], in rows of ld floats, as factors: dS along its rows, and both across
// theirs, where the TERMS rows from r on begin at r ld.
struct Weights {
  const F *p_across, *ds_across, *ds_along;
  Weights(float* p, float* ds, int64_t, int64_t, int64_t) : p_across(p), ds_across(ds), ds_along(ds) {}
};

} // namespace SK_ISA
} // namespace sk
#endif

namespace sk {
namespace SK_ISA {

// The factors that hold n terms.
SK_INLINE int64_t factors(int64_t n) { return (n + TERMS - 1) / TERMS; }

} // namespace SK_ISA
} // namespace sk
#endif
