// adamw, dot, add_scaled, add_squares, anchor: passes over flat arrays of floats, whatever the element type.
#include "device.cuh"
#include "../../native/src/adamw.h"

namespace sk {

// w, m and v, g: float or bf16. R: what `rounded` is of. A thread takes E elements.
template <class W, class S, class G, class R, int E> struct Adamw {
  static constexpr int THREADS = 256;
  sk_adamw_step a;
  float unbias1, unbias2; // 1 / (1 - b^step)

  SK_DEVICE void operator()() const {
    const int64_t i = (block_x() * THREADS + thread()) * E;
    if (i >= a.n) return;
    const uint64_t k = sizeof(S) == 2 ? adamw_key(a.key, i) : 0; // E divides 2^32
    Elements<W, E> w = load<E>(as<W>(a.w) + i);
    Elements<S, E> m = load<E>(as<S>(a.m) + i), v = load<E>(as<S>(a.v) + i);
    const Elements<G, E> g = load<E>(as<G>(a.g) + i);
    Elements<R, E> rounded;
    SK_UNROLL
    for (int e = 0; e < E; e++)
      rounded.v[e] =
          from_float<R>(adamw_element(a, unbias1, unbias2, k, i + e, &w.v[e], &m.v[e], &v.v[e], &g.v[e]));
    store<E>(as<W>(a.w) + i, w);
    store<E>(as<S>(a.m) + i, m);
    store<E>(as<S>(a.v) + i, v);
    if (a.rounded) store<E>(as<R>(a.rounded) + i, rounded);
  }
};

// out[block] = the sum over its elements, which are `each` apart from the next block's
template <class T> struct Dot {
  static constexpr int THREADS = 256;
  sk_pair a;
  int64_t each;

  SK_DEVICE void operator()() const {
    double sum = 0;
    const int64_t begin = block_x() * each;
    for (int64_t i = begin + thread(); i < least(a.n, begin + each); i += THREADS)
      sum += double(to_float(as<T>(a.x)[i])) * double(to_float(as<T>(a.y)[i]));
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

// One element a thread, and 16 bytes of whichever is widest.
#define SK_ADAMW(name, wide, ...)        \
  SK_KERNEL(name, Adamw<__VA_ARGS__, 1>) \
  SK_KERNEL(name##x##wide, Adamw<__VA_ARGS__, wide>)
SK_ADAMW(adamw_f32, 4, float, float, float, float)
SK_ADAMW(adamw_bf16, 4, float, float, float, bf16)
SK_ADAMW(adamw_f16, 4, float, float, float, f16)
SK_ADAMW(adamw_narrow_mv, 4, float, bf16, float, float)
SK_ADAMW(adamw_narrow_w, 4, bf16, bf16, float, float)
SK_ADAMW(adamw_narrow_g, 8, bf16, bf16, bf16, bf16)
SK_KERNEL(dot_f32, Dot<float>)
SK_KERNEL(dot_bf16, Dot<bf16>)
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
  auto with = [&](auto width) {
    using K = Adamw<W, S, G, R, width>;
    launch(ctx, ceil_div(a->n, K::THREADS * width), 1, 0, K{*a, unbias(a->b1), unbias(a->b2)});
  };
  constexpr int wide = sizeof(W) + sizeof(G) == 4 ? 8 : 4;
  uintptr_t bits = 0;
  for (const void* p : {a->w, a->m, a->v, const_cast<float*>(a->g), a->rounded})
    bits |= reinterpret_cast<uintptr_t>(p);
  if (bits % 16 == 0 && a->n % wide == 0) with(std::integral_constant<int, wide>());
  else with(std::integral_constant<int, 1>());
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
  const int64_t each = most<int64_t>(8192, ceil_div(a.n, 4096)), blocks = ceil_div(a.n, each);
  double *out = a.out,
         *sum = reinterpret_cast<double*>(device_scratch(ctx, (blocks + 1) * int64_t(sizeof(double))));
  a.out = sum + 1;
  launch(ctx, blocks, 1, 32 * sizeof(double), K{a, each});
  sum_parts(ctx, sum, a.out, {0, int32_t(blocks)}, 1);
  download(ctx, out, sum, sizeof(double));
  return 0;
}
int dot(sk_context* ctx, const sk_pair* a) {
  return a->bf16 ? sum_over<Dot<bf16>>(ctx, *a) : sum_over<Dot<float>>(ctx, *a);
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
