// embedding_bwd, gather, scatter, scatter_add: rows moved by index.
#include "device.cuh"

namespace sk {

// to[r] = from[index[r]], where index[r] is not -1            to [R,C], from [N,C]
// A block is a row; a thread takes W elements at a time.
template <class T, int W> struct Gather {
  static constexpr int THREADS = 128;
  T* to;
  const T* from;
  const int32_t* index;
  int64_t C;

  SK_DEVICE void operator()() const {
    const int64_t row = index[block_x()];
    if (row < 0) return;
    const T* __restrict__ x = from + row * C;
    T* __restrict__ y = to + block_x() * C;
    SK_UNROLL_4
    for (int c = thread() * W; c < C; c += THREADS * W) store<W>(y + c, load<W>(x + c));
  }
};

// to[target[g]] += from[order[i]] over start[g] <= i < start[g+1], in that order: no two blocks write the
// same row.
// A block is a target row g.    A: type of the sum that is added to
template <class A, class T> struct AddRows {
  static constexpr int THREADS = 128;
  A* to;
  const T* from;
  const int32_t *target, *start, *order;
  int64_t C;

  SK_DEVICE void operator()() const {
    A* row = to + target[block_x()] * C;
    const int32_t first = start[block_x()], last = start[block_x() + 1];
    for (int64_t c = thread(); c < C; c += THREADS) {
      float sum = to_float(row[c]);
      for (int32_t i = first; i < last; i++) sum += to_float(from[order[i] * C + c]);
      row[c] = from_float<A>(sum);
    }
  }
};

SK_KERNELS_OF_ROWS(gather, Gather)
SK_KERNEL(add_rows_f32, AddRows<float, float>)
SK_KERNEL(add_rows_f32_bf16, AddRows<float, bf16>)
SK_KERNEL(add_rows_f32_f16, AddRows<float, f16>)
SK_KERNEL(add_rows_bf16, AddRows<bf16, bf16>)
SK_KERNEL(add_rows_f16, AddRows<f16, f16>)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "launch.h"
#include <algorithm>

namespace sk {
namespace cuda {

// Rows by the row they are added to; the indices lie on the host, so they are sorted there. -1 is left out.
struct Groups {
  std::vector<int32_t> target, start, order;
  Groups(const int32_t* index, int64_t n) {
    for (int32_t i = 0; i < n; i++)
      if (index[i] >= 0) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return index[a] < index[b]; });
    for (size_t i = 0; i < order.size(); i++) {
      if (i > 0 && index[order[i]] == index[order[i - 1]]) continue;
      target.push_back(index[order[i]]);
      start.push_back(int32_t(i));
    }
    start.push_back(int32_t(order.size()));
  }
};

template <class A, class T>
static void add_rows(sk_context* ctx, A* to, const T* from, const Groups& g, int64_t C) {
  const int64_t targets = int64_t(g.target.size());
  launch(ctx, targets, 1, 0,
         AddRows<A, T>{to, from, upload(ctx, g.target), upload(ctx, g.start), upload(ctx, g.order), C});
}

int embedding_bwd(sk_context* ctx, const sk_embedding_gradient* a) {
  return dispatch(ctx, [&](auto element) {
    add_rows(ctx, a->dw, as<decltype(element)>(a->dx), Groups(a->tokens, a->N), a->C);
  });
}

int gather(sk_context* ctx, const sk_rows* a) {
  return by_width(ctx, a->C, {a->d, a->x}, [&](auto element, auto width) {
    using T = decltype(element);
    launch(ctx, a->R, 1, 0, Gather<T, width>{as<T>(a->d), as<T>(a->x), upload(ctx, a->rows, a->R), a->C});
  });
}

int scatter(sk_context* ctx, const sk_rows* a) {
  const sk_vector all{a->x, a->N * a->C};
  zero(ctx, &all);
  return scatter_add(ctx, a);
}

int scatter_add(sk_context* ctx, const sk_rows* a) {
  return dispatch(ctx, [&](auto element) {
    using T = decltype(element);
    add_rows<T, T>(ctx, as<T>(a->x), as<T>(a->d), Groups(a->rows, a->R), a->C);
  });
}

} // namespace cuda
} // namespace sk
#endif
