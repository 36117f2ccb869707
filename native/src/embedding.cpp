// embedding_fwd, embedding_bwd, gather, scatter, scatter_add: rows moved by index.
#include "kernels.h"
#include "simd.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t FLOATS = 16384; // moved by one task
static constexpr int64_t COLUMNS = 64;   // of dw, that one task owns

static int64_t rows_of(int64_t C) { return C < FLOATS ? FLOATS / C : 1; }

SK_INLINE void add_row(float* y, const float* x, int64_t n) {
  each_vector(n, [&](int64_t i, auto lanes) { lanes.put(y + i, lanes.get(y + i) + lanes.get(x + i)); });
}

// out[r] = x[rows[r]]            out [R,C], x [*,C]
int gather(sk_context* ctx, float* out, const float* x, const int32_t* rows, int64_t R, int64_t C) {
  parallel_blocks(ctx, R, rows_of(C), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) memcpy(out + r * C, x + rows[r] * C, size_t(C) * sizeof(float));
  });
  return 0;
}

// x[n] = w[tokens[n]], but for tokens of -1            x [N,C], w [V,C]
int embedding_fwd(sk_context* ctx, float* x, const int32_t* tokens, const float* w, int64_t N, int64_t C,
                  int64_t) {
  parallel_blocks(ctx, N, rows_of(C), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++)
      if (tokens[n] >= 0) memcpy(x + n * C, w + tokens[n] * C, size_t(C) * sizeof(float));
  });
  return 0;
}

// dw[tokens[n]] += dx[n], in order of n, but for tokens of -1. A token may occur often, so tasks split the
// columns, not the tokens.
int embedding_bwd(sk_context* ctx, float* dw, const int32_t* tokens, const float* dx, int64_t N, int64_t C,
                  int64_t) {
  parallel_blocks(ctx, C, COLUMNS, [&](int64_t begin, int64_t end) {
    for (int64_t n = 0; n < N; n++)
      if (tokens[n] >= 0) add_row(dw + tokens[n] * C + begin, dx + n * C + begin, end - begin);
  });
  return 0;
}

// x[rows[r]] += d[r] for those of the rows, which ascend, that lie in [begin, end).
static void add_rows(float* x, const float* d, const int32_t* rows, int64_t R, int64_t C, int64_t begin,
                     int64_t end) {
  int64_t r = 0;
  for (int64_t above = R; r < above;) {
    int64_t middle = (r + above) / 2;
    if (rows[middle] < begin) r = middle + 1;
    else above = middle;
  }
  for (; r < R && rows[r] < end; r++) add_row(x + rows[r] * C, d + r * C, C);
}

// dx = 0, then dx[rows[r]] += d[r], rows ascending: a task owns some rows of dx.
int scatter(sk_context* ctx, float* dx, const float* d, const int32_t* rows, int64_t R, int64_t N,
            int64_t C) {
  parallel_blocks(ctx, N, rows_of(C), [&](int64_t begin, int64_t end) {
    memset(dx + begin * C, 0, size_t((end - begin) * C) * sizeof(float));
    add_rows(dx, d, rows, R, C, begin, end);
  });
  return 0;
}

// x[rows[r]] += d[r], rows ascending
int scatter_add(sk_context* ctx, float* x, const float* d, const int32_t* rows, int64_t R, int64_t N,
                int64_t C) {
  parallel_blocks(ctx, N, rows_of(C),
                  [&](int64_t begin, int64_t end) { add_rows(x, d, rows, R, C, begin, end); });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
