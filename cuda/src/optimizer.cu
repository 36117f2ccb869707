// adamw, dot, add_scaled, add_squares, anchor: passes over flat arrays of floats, whatever the element type.
#include "device.cuh"
#include "../../native/src/adamw.h"

namespace sk {

// w, m and v, g: float or bf16. R: what `rounded` is of.  A thread takes N elements; the last may have fewer.
template <class W, class S, class G, class R, int N> struct Adamw {
  static constexpr int THREADS = 256;
  sk_adamw_step a;
  float unbias1, unbias2; // 1 / (1 - b^step)

  template <int M> SK_DEVICE void step(int64_t i) const {
    Elements<W, M> w = load<M>(as<W>(a.w) + i);
    Elements<S, M> m = load<M>(as<S>(a.m) + i), v = load<M>(as<S>(a.v) + i);
    const Elements<G, M> g = load<M>(as<G>(a.g) + i);
    Elements<R, M> rounded;
    SK_UNROLL
    for (int e = 0; e < M; e++) {
      const uint64_t k = sizeof(S) == 2 ? adamw_key(a.key, i + e) : 0;
      rounded.v[e] =
          from_float<R>(adamw_element(a, unbias1, unbias2, k, i + e, w.v + e, m.v + e, v.v + e, g.v + e));
    }
    store<M>(as<W>(a.w) + i, w);
    store<M>(as<S>(a.m) + i, m);
    store<M>(as<S>(a.v) + i, v);
    if (a.rounded) store<M>(as<R>(a.rounded) + i, rounded);
  }

  SK_DEVICE void operator()() const {
    const int64_t i = (block_x() * THREADS + thread()) * N;
    if (i + N <= a.n) return step<N>(i);
    for (int64_t j = i; j < a.n; j++) step<1>(j);
  }
};

// out[block] = the sum over its elements, which are `each` apart from the next block's.  A thread takes W at
// a time, but for the last ones of all.
template <class T, int W> struct Dot {
  static constexpr int THREADS = 256;
  sk_pair a;
  int64_t each; // a multiple of W

  SK_DEVICE void operator()() const {
    const T* __restrict__ x = as<T>(a.x), * __restrict__ y = as<T>(a.y);
    const int64_t begin = block_x() * each, end = least(a.n, begin + each),
                  whole = begin + (end - begin) / W * W;
    double sum = 0;
    SK_UNROLL_4
    for (int64_t i = begin + thread() * W; i < whole; i += THREADS * W) {
      const Elements<T, W> xs = load<W>(x + i), ys = load<W>(y + i);
      SK_UNROLL
      for (int e = 0; e < W; e++) sum += double(to_float(xs.v[e])) * double(to_float(ys.v[e]));
    }
    for (int64_t i = whole + thread(); i < end; i += THREADS)
      sum += double(to_float(x[i])) * double(to_float(y[i]));
    sum = block_sum<THREADS>(sum, shared<double>());
    if (thread() == 0) a.out[block_x()] = sum;
  }
};

// out[s] = sum of parts[i*across + s % across] over start[s / across] <= i < start[s / across + 1], in order.
// A block is one s.
struct SumParts {
  static constexpr int THREADS = 128;
  double* out;
  const double* parts;
  const int32_t* start;
  int64_t across;

  SK_DEVICE void operator()() const {
    const int64_t s = block_x() / across, column = block_x() % across;
    double sum = 0;
    for (int32_t i = start[s] + thread(); i < start[s + 1]; i += THREADS) sum += parts[i * across + column];
    sum = block_sum<THREADS>(sum, shared<double>());
    if (thread() == 0) out[block_x()] = sum;
  }
};

struct AddScaled {
  static constexpr int THREADS = 256;
  sk_scaled a;

  SK_DEVICE void operator()() const {
    const int64_t i = block_x() * THREADS + thread();
    if (i < a.n) a.y[i] += a.scale * a.x[i];
  }
};

struct AddSquares {
  static constexpr int THREADS = 256;
  sk_scaled a;

  SK_DEVICE void operator()() const {
    const int64_t i = block_x() * THREADS + thread();
    if (i < a.n) a.y[i] += a.scale * (a.x[i] * a.x[i]);
  }
};

// out[block] as Dot's
struct Anchor {
  static constexpr int THREADS = 256;
  sk_pull a;
  int64_t each;

  SK_DEVICE void operator()() const {
    double penalty = 0;
    const int64_t begin = block_x() * each;
    for (int64_t i = begin + thread(); i < least(a.n, begin + each); i += THREADS) {
      const float away = a.w[i] - a.anchor[i], pull = a.lambda * a.fisher[i] * away;
      a.g[i] += pull;
      penalty += double(pull) * double(away);
    }
    penalty = block_sum<THREADS>(penalty, shared<double>());
    if (thread() == 0) a.out[block_x()] = penalty / 2;
  }
};

// One element a thread, and 16 bytes of weights.
#define SK_ADAMW(name, wide, ...)        \
  SK_KERNEL(name, Adamw<__VA_ARGS__, 1>) \
  SK_KERNEL(name##x##wide, Adamw<__VA_ARGS__, wide>)
SK_ADAMW(adamw_f32, 4, float, float, float, float)
SK_ADAMW(adamw_bf16, 4, float, float, float, bf16)
SK_ADAMW(adamw_f16, 4, float, float, float, f16)
SK_ADAMW(adamw_narrow_mv, 4, float, bf16, float, float)
SK_ADAMW(adamw_narrow_w, 8, bf16, bf16, float, float)
SK_ADAMW(adamw_narrow_g, 8, bf16, bf16, bf16, bf16)
SK_KERNEL(dot_f32, Dot<float, 1>)
SK_KERNEL(dot_f32x4, Dot<float, 4>)
SK_KERNEL(dot_bf16, Dot<bf16, 1>)
SK_KERNEL(dot_bf16x8, Dot<bf16, 8>)
SK_KERNEL(sum_parts, SumParts)
SK_KERNEL(add_scaled, AddScaled)
SK_KERNEL(add_squares, AddSquares)
SK_KERNEL(anchor, Anchor)

} // namespace sk

#ifdef SK_LAUNCHERS
#include "launch.h"
#include "sum_parts.h"

namespace sk {

void sum_parts(sk_context* ctx, double* out, const double* parts, const std::vector<int32_t>& start,
               int64_t across) {
  const int64_t n = (int64_t(start.size()) - 1) * across;
  launch(ctx, n, 1, 32 * sizeof(double), SumParts{out, parts, upload(ctx, start), across});
}

namespace cuda {

template <class W, class S, class G, class R> static int adamw_of(sk_context* ctx, const sk_adamw_step* a) {
  auto unbias = [a](float b) { return float(1 / (1 - __builtin_pow(double(b), double(a->step)))); };
  auto run = [&](auto n) {
    using K = Adamw<W, S, G, R, n>;
    launch(ctx, ceil_div(a->n, K::THREADS * n), 1, 0, K{*a, unbias(a->b1), unbias(a->b2)});
  };
  if (wide({a->w, a->m, a->v, a->g, a->rounded})) run(std::integral_constant<int, 16 / sizeof(W)>());
  else run(std::integral_constant<int, 1>());
  return 0;
}

int adamw(sk_context* ctx, const sk_adamw_step* a) {
  if (a->g_bf16) return adamw_of<bf16, bf16, bf16, bf16>(ctx, a);
  if (a->w_bf16) return adamw_of<bf16, bf16, float, float>(ctx, a);
  if (a->mv_bf16) return adamw_of<float, bf16, float, float>(ctx, a);
  if (a->rounded_bf16) return adamw_of<float, float, float, bf16>(ctx, a);
  return dispatch(ctx, [&](auto element) { adamw_of<float, float, float, decltype(element)>(ctx, a); });
}

// K{arguments whose out is parts, elements of a block}, and the sum of the parts, on the host: enough blocks
// for any GPU, few enough parts for one block to add.
template <class K, class A> static int sum_over(sk_context* ctx, A a) {
  const int64_t each = most<int64_t>(8192, ceil_div(ceil_div(a.n, 4096), 8) * 8),
                blocks = ceil_div(a.n, each);
  double *out = a.out,
         *sum = reinterpret_cast<double*>(device_scratch(ctx, (blocks + 1) * int64_t(sizeof(double))));
  a.out = sum + 1;
  launch(ctx, blocks, 1, 32 * sizeof(double), K{a, each});
  sum_parts(ctx, sum, a.out, {0, int32_t(blocks)}, 1);
  download(ctx, out, sum, sizeof(double));
  return 0;
}
int dot(sk_context* ctx, const sk_pair* a) {
  if (!wide({a->x, a->y}))
    return a->bf16 ? sum_over<Dot<bf16, 1>>(ctx, *a) : sum_over<Dot<float, 1>>(ctx, *a);
  return a->bf16 ? sum_over<Dot<bf16, 8>>(ctx, *a) : sum_over<Dot<float, 4>>(ctx, *a);
}
int anchor(sk_context* ctx, const sk_pull* a) { return sum_over<Anchor>(ctx, *a); }

template <class K> static int each_element(sk_context* ctx, const sk_scaled& a) {
  launch(ctx, ceil_div(a.n, K::THREADS), 1, 0, K{a});
  return 0;
}
int add_scaled(sk_context* ctx, const sk_scaled* a) { return each_element<AddScaled>(ctx, *a); }
int add_squares(sk_context* ctx, const sk_scaled* a) { return each_element<AddSquares>(ctx, *a); }

} // namespace cuda
} // namespace sk
#endif
