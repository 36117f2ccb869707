// What the attention kernels share: where heads stand, scores and their exponentials, queries to distil.
#ifndef SEEKR_ATTENTION_CUH
#define SEEKR_ATTENTION_CUH
#include "attention_tile.cuh"

namespace sk {

// A block of rows of one sequence: token `begin` is the sequence's first, `first` the block's first position
// in it.
struct RowBlock {
  int32_t begin, length, first;
};

// Arguments A with heads, and where those stand in a row of qkv: [NH query heads | NKV key heads | NKV value
// heads] x HS.
template <class A> struct Heads : A {
  SK_DEVICE int64_t row() const { return (this->NH + 2 * this->NKV) * this->HS; }
  SK_DEVICE int64_t q(int64_t h) const { return h * this->HS; }
  SK_DEVICE int64_t k(int64_t kv) const { return (this->NH + kv) * this->HS; }
  SK_DEVICE int64_t v(int64_t kv) const { return (this->NH + this->NKV + kv) * this->HS; }
  SK_DEVICE int64_t group() const { return this->NH / this->NKV; }
  // The first key that a query sees; window is INT32_MAX where it sees all.
  SK_DEVICE int first_key(int position) const { return most(0, position - int(this->window) + 1); }
};
// As for_device (attention_launch.h) hands it to kernels.
using Attention = Heads<sk_attention>;

// Exponents count powers of e for floats, and of 2 for elements of 16 bits, where the instruction that is
// saved matters and a rounding of lse to 2^-24 of itself does not.
template <class T> SK_DEVICE float exponent(float x) { return sizeof(T) == 4 ? x : x * 1.4426950408889634f; }
template <class T> SK_DEVICE float natural(float x) { return sizeof(T) == 4 ? x : x * 0.6931471805599453f; }
// e^(scale s - shift), with exponent<T>(scale) and exponent<T>(shift).
template <class T> SK_DEVICE float power(float s, float scale, float shift) {
  const float x = s * scale - shift;
  return fast_exp2(sizeof(T) == 4 ? x * 1.4426950408889634f : x);
}

// Whether the key of entry i, of 4 NT, comes after the query of its row in row tile m; `ahead`: how far the
// lane's first key is ahead of its first query.
SK_DEVICE bool after(int ahead, int m, int i) { return ahead + i / 4 * 8 + i % 2 > 16 * m + i % 4 / 2 * 8; }
// Keys that a query does not see: AFTER it, or BEFORE its window, where `ahead` counts from the window's
// begin, which is `window` before the query and not in it.
enum Side { BEFORE, AFTER };
// Scores of such keys: A = 0.
template <Side SIDE, int MT, int NT> SK_DEVICE void hide(float (&s)[MT][NT][4], int ahead) {
  SK_UNROLL
  for (int m = 0; m < MT; m++) {
    SK_UNROLL
    for (int i = 0; i < 4 * NT; i++)
      if (after(ahead, m, i) == (SIDE == AFTER)) s[m][i / 4][i % 4] = -INFINITY;
  }
}

// Sums and maxima over the four lanes that hold one row.
template <class T> SK_DEVICE T row_sum(T v) {
  v += shuffle_xor(v, 1);
  return v + shuffle_xor(v, 2);
}
SK_DEVICE float row_max(float v) {
  v = larger(v, shuffle_xor(v, 1));
  return larger(v, shuffle_xor(v, 2));
}

// What a query of a selected head adds to the gradients of its scores.
struct Target {
  const float* p; // [position + 1]
  float weight, mean, eps;

  // dKL/dS of one entry, weighted: weight (A - P), or with eps: weight A (mean - g), g = P / (A + eps)
  SK_DEVICE float gradient(float A, float P) const {
    return weight * (eps > 0 ? A * (mean - fast_divide(P, A + eps)) : A - P);
  }
};

// The queries to distil as kernels see them: tables tell of every token and every head whether it takes part.
struct Queries : sk_queries {
  const int32_t* query_of; // [N] query i, or -1; null where there is nothing to distil
  const int32_t* head_of;  // [NH] index among the selected heads, or -1
  const float* mean;       // [R,H] sum_j A_j g_j where eps > 0
  float eps;

  SK_DEVICE int64_t index(int64_t h) const { return query_of ? head_of[h] : -1; }
  SK_DEVICE const float* stored(int64_t i, int64_t index, int64_t position) const {
    return p + H * prefix[i] + index * (position + 1);
  }
  SK_DEVICE Target target(int64_t i, int64_t index, int64_t position) const {
    return {stored(i, index, position), weight[i], eps > 0 ? mean[i * H + index] : 0, eps};
  }
};

} // namespace sk
#endif
