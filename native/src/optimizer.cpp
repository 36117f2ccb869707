// adamw, dot, add_scaled, add_squares, anchor: passes over flat arrays.
#include "adamw.h"
#include "kernels.h"
#include "simd.h"

namespace sk {
namespace SK_ISA {

static constexpr int64_t BLOCK = 16384; // of one task; tried 4096, 65536: as fast, within what memory varies

template <class W, class S, class G>
static void adamw_vector(sk_context* ctx, const sk_adamw_step* a, float unbias1, float unbias2) {
  const sk_adamw_step of = *a;
  parallel_blocks(ctx, a->n, BLOCK, [=](int64_t begin, int64_t end) {
    W* __restrict w = (W*)of.w + begin;
    S* __restrict m = (S*)of.m + begin, * __restrict v = (S*)of.v + begin;
    const G* __restrict g = (const G*)of.g + begin;
    const uint64_t k = adamw_key(of.key, begin); // 2^32 is a multiple of BLOCK
    for (int64_t i = 0; i < end - begin; i++)
      adamw_element(of, unbias1, unbias2, k, begin + i, w + i, m + i, v + i, g + i);
    if (!of.rounded) return;
    if (of.rounded_bf16) {
      bf16* __restrict rounded = (bf16*)of.rounded + begin;
      for (int64_t i = 0; i < end - begin; i++) rounded[i] = nearest(widened(w[i]));
    } else {
      for (int64_t i = 0; i < end - begin; i++) of.rounded[begin + i] = widened(w[i]);
    }
  });
}

int adamw(sk_context* ctx, const sk_adamw_step* a) {
  const float unbias1 = float(1 / (1 - __builtin_pow(double(a->b1), double(a->step))));
  const float unbias2 = float(1 / (1 - __builtin_pow(double(a->b2), double(a->step))));
  if (a->g_bf16) adamw_vector<bf16, bf16, bf16>(ctx, a, unbias1, unbias2);
  else if (a->w_bf16) adamw_vector<bf16, bf16, float>(ctx, a, unbias1, unbias2);
  else if (a->mv_bf16) adamw_vector<float, bf16, float>(ctx, a, unbias1, unbias2);
  else adamw_vector<float, float, float>(ctx, a, unbias1, unbias2);
  return 0;
}

// Sum of x y [n] of bfloat16, seen as floats a stretch at a time.
static double narrow_products(const bf16* x, const bf16* y, int64_t n) {
  constexpr int64_t STRETCH = 16 * W;
  float wide[2][STRETCH];
  Sum products;
  for (int64_t i = 0; i < n; i += STRETCH) {
    const int64_t some = n - i < STRETCH ? n - i : STRETCH;
    for (int64_t j = 0; j < some; j++) wide[0][j] = widened(x[i + j]), wide[1][j] = widened(y[i + j]);
    each_vector(some, [&](int64_t j, auto lanes) {
      products.add_product(lanes.get(wide[0] + j), lanes.get(wide[1] + j));
    });
  }
  return products.total();
}

// out[0] = sum of x y [n]: blocks in double, added in order.
int dot(sk_context* ctx, const sk_pair* a) {
  const int64_t blocks = (a->n + BLOCK - 1) / BLOCK;
  double* sums = reinterpret_cast<double*>(shared_scratch(ctx, 2 * blocks));
  parallel_blocks(ctx, a->n, BLOCK, [=](int64_t begin, int64_t end) {
    if (a->bf16) {
      sums[begin / BLOCK] =
          narrow_products((const bf16*)a->x + begin, (const bf16*)a->y + begin, end - begin);
      return;
    }
    const float *x = a->x + begin, *y = a->y + begin;
    Sum products;
    // Fetched ahead, for processors follow a single stream too slowly: without it 40 % slower on Intel's
    // (Granite Rapids); tried 512: 14 % slower.
    each_vector(end - begin, [&](int64_t i, auto lanes) {
      __builtin_prefetch(x + i + 2048);
      products.add_product(lanes.get(x + i), lanes.get(y + i));
    });
    sums[begin / BLOCK] = products.total();
  });
  double total = 0;
  for (int64_t k = 0; k < blocks; k++) total += sums[k];
  *a->out = total;
  return 0;
}

// y += scale x                  all [n]
int add_scaled(sk_context* ctx, const sk_scaled* a) {
  parallel_blocks(ctx, a->n, BLOCK, [=](int64_t begin, int64_t end) {
    float* y = a->y + begin;
    const float *x = a->x + begin, scale = a->scale;
    each_vector(end - begin, [=](int64_t i, auto lanes) {
      lanes.put(y + i, lanes.get(y + i) + scale * lanes.get(x + i));
    });
  });
  return 0;
}

// y += scale x^2                all [n]
int add_squares(sk_context* ctx, const sk_scaled* a) {
  parallel_blocks(ctx, a->n, BLOCK, [=](int64_t begin, int64_t end) {
    float* y = a->y + begin;
    const float *x = a->x + begin, scale = a->scale;
    each_vector(end - begin, [=](int64_t i, auto lanes) {
      vf v = lanes.get(x + i);
      lanes.put(y + i, lanes.get(y + i) + scale * (v * v));
    });
  });
  return 0;
}

// g += lambda F (w-a);  out[0] = lambda/2 sum F (w-a)^2: blocks in double, added in order.
int anchor(sk_context* ctx, const sk_pull* a) {
  const int64_t blocks = (a->n + BLOCK - 1) / BLOCK;
  double* sums = reinterpret_cast<double*>(shared_scratch(ctx, 2 * blocks));
  parallel_blocks(ctx, a->n, BLOCK, [=](int64_t begin, int64_t end) {
    float* g = a->g + begin;
    const float *w = a->w + begin, *fisher = a->fisher + begin, *anchor = a->anchor + begin;
    const float lambda = a->lambda;
    Sum penalty;
    each_vector(end - begin, [&](int64_t i, auto lanes) {
      vf away = lanes.get(w + i) - lanes.get(anchor + i);
      vf pull = lambda * lanes.get(fisher + i) * away;
      lanes.put(g + i, lanes.get(g + i) + pull);
      penalty.add_product(pull, away);
    });
    sums[begin / BLOCK] = penalty.total() / 2;
  });
  *a->out = 0;
  for (int64_t k = 0; k < blocks; k++) *a->out += sums[k];
  return 0;
}

} // namespace SK_ISA
} // namespace sk
