// embedding_bwd, gather, scatter, scatter_add: rows moved by index.
#include "kernels.h"
#include "simd.h"

namespace sk {
namespace SK_ISA {

// Moved by one task. tried 4096: gather as fast, scatter 23 % faster, but in four times the tasks, which are
// then half a microsecond each; 65536: as fast
static constexpr int64_t FLOATS = 16384;
static constexpr int64_t COLUMNS = 64; // of dw, that one task owns; tried 16: 44 % slower, 256: 3 % faster

static int64_t rows_of(int64_t C) { return C < FLOATS ? FLOATS / C : 1; }

template <class T> SK_INLINE void add_row(T* y, const E* x, int64_t n) {
  each_vector(n, [&](int64_t i, auto lanes) { lanes.put(y + i, lanes.get(y + i) + lanes.get(x + i)); });
}

// d[r] = x[rows[r]], but for rows of -1              d [R,C], x [N,C]
int gather(sk_context* ctx, const sk_rows* a) {
  const int64_t C = a->C;
  parallel_blocks(ctx, a->R, rows_of(C), [=](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++)
      if (a->rows[r] >= 0)
        memcpy(elements(a->d) + r * C, elements(a->x) + a->rows[r] * C, size_t(C) * sizeof(E));
  });
  return 0;
}

// dw[tokens[n]] += dx[n], in order of n, but for tokens of -1; dw is float. A token may occur often, so tasks
// split the columns, not the tokens.
int embedding_bwd(sk_context* ctx, const sk_embedding_gradient* a) {
  parallel_blocks(ctx, a->C, COLUMNS, [=](int64_t begin, int64_t end) {
    for (int64_t n = 0; n < a->N; n++)
      if (a->tokens[n] >= 0)
        add_row(a->dw + a->tokens[n] * a->C + begin, elements(a->dx) + n * a->C + begin, end - begin);
  });
  return 0;
}

// x[rows[r]] += d[r] for those of the rows, which ascend, that lie in [begin, end).
static void add_rows(const sk_rows* a, int64_t begin, int64_t end) {
  int64_t r = 0;
  for (int64_t above = a->R; r < above;) {
    int64_t middle = (r + above) / 2;
    if (a->rows[middle] < begin) r = middle + 1;
    else above = middle;
  }
  for (; r < a->R && a->rows[r] < end; r++)
    add_row(elements(a->x) + a->rows[r] * a->C, elements(a->d) + r * a->C, a->C);
}

// x = 0, then x[rows[r]] += d[r], rows ascending: a task owns some rows of x.      x [N,C], d [R,C]
int scatter(sk_context* ctx, const sk_rows* a) {
  parallel_blocks(ctx, a->N, rows_of(a->C), [=](int64_t begin, int64_t end) {
    memset(elements(a->x) + begin * a->C, 0, size_t((end - begin) * a->C) * sizeof(E));
    add_rows(a, begin, end);
  });
  return 0;
}

// x[rows[r]] += d[r], rows ascending
int scatter_add(sk_context* ctx, const sk_rows* a) {
  parallel_blocks(ctx, a->N, rows_of(a->C), [=](int64_t begin, int64_t end) { add_rows(a, begin, end); });
  return 0;
}

} // namespace SK_ISA
} // namespace sk
