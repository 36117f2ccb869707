// The exported functions of every kernel library, attention apart (api_attention.cpp): check the arguments,
// then run the context's kernel. Integers they look at lie on the host in every library.
#include "arguments.h"

using namespace sk;

SK_API int sk_embedding_fwd(sk_context* ctx, float* x, const int32_t* tokens, const float* w, int64_t N,
                            int64_t C, int64_t V) {
  return call("sk_embedding_fwd", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(x), SK_NOT_NULL(tokens), SK_NOT_NULL(w);
    SK_AT_LEAST(N, 0), SK_AT_LEAST(C, 1), SK_AT_LEAST(V, 1);
    indices("tokens", tokens, N, -1, V);
    return kernels.embedding_fwd(ctx, x, tokens, w, N, C, V);
  });
}

SK_API int sk_embedding_bwd(sk_context* ctx, float* dw, const int32_t* tokens, const float* dx, int64_t N,
                            int64_t C, int64_t V) {
  return call("sk_embedding_bwd", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(dw), SK_NOT_NULL(tokens), SK_NOT_NULL(dx);
    SK_AT_LEAST(N, 0), SK_AT_LEAST(C, 1), SK_AT_LEAST(V, 1);
    indices("tokens", tokens, N, -1, V);
    return kernels.embedding_bwd(ctx, dw, tokens, dx, N, C, V);
  });
}

SK_API int sk_rmsnorm_fwd(sk_context* ctx, float* y, float* x, float* rstd, const float* a, const float* b,
                          const float* w, int64_t N, int64_t C, float eps) {
  return call("sk_rmsnorm_fwd", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(y), SK_NOT_NULL(rstd), SK_NOT_NULL(a), SK_NOT_NULL(w);
    if (b) SK_NOT_NULL(x);
    SK_AT_LEAST(N, 0), SK_AT_LEAST(C, 1);
    if (!(eps >= 0)) throw Error("eps is %g, not a number >= 0", double(eps));
    return kernels.rmsnorm_fwd(ctx, y, x, rstd, a, b, w, N, C, eps);
  });
}

SK_API int sk_rmsnorm_bwd(sk_context* ctx, float* dx, float* dw, const float* dy, const float* x,
                          const float* rstd, const float* w, int64_t N, int64_t C) {
  return call("sk_rmsnorm_bwd", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(dx), SK_NOT_NULL(dy), SK_NOT_NULL(x), SK_NOT_NULL(rstd), SK_NOT_NULL(w);
    SK_AT_LEAST(N, 0), SK_AT_LEAST(C, 1);
    return kernels.rmsnorm_bwd(ctx, dx, dw, dy, x, rstd, w, N, C);
  });
}

static void check_rope(const int32_t* positions, const float* cos, const float* sin, int64_t N, int64_t NH,
                       int64_t NKV, int64_t HS, int64_t P) {
  SK_NOT_NULL(positions), SK_NOT_NULL(cos), SK_NOT_NULL(sin);
  SK_AT_LEAST(N, 0), SK_AT_LEAST(P, 0);
  heads(NH, NKV, HS);
  if (HS % 2 != 0) throw Error("HS is %lld, which is odd", static_cast<long long>(HS));
  indices("positions", positions, N, 0, P);
}

SK_API int sk_rope_fwd(sk_context* ctx, float* qkv, const int32_t* positions, const float* cos,
                       const float* sin, int64_t N, int64_t NH, int64_t NKV, int64_t HS, int64_t P) {
  return call("sk_rope_fwd", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(qkv);
    check_rope(positions, cos, sin, N, NH, NKV, HS, P);
    return kernels.rope_fwd(ctx, qkv, positions, cos, sin, N, NH, NKV, HS, P);
  });
}

SK_API int sk_rope_bwd(sk_context* ctx, float* dqkv, const int32_t* positions, const float* cos,
                       const float* sin, int64_t N, int64_t NH, int64_t NKV, int64_t HS, int64_t P) {
  return call("sk_rope_bwd", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(dqkv);
    check_rope(positions, cos, sin, N, NH, NKV, HS, P);
    return kernels.rope_bwd(ctx, dqkv, positions, cos, sin, N, NH, NKV, HS, P);
  });
}

SK_API int sk_swiglu_fwd(sk_context* ctx, float* h, const float* gu, int64_t N, int64_t F) {
  return call("sk_swiglu_fwd", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(h), SK_NOT_NULL(gu);
    SK_AT_LEAST(N, 0), SK_AT_LEAST(F, 1);
    return kernels.swiglu_fwd(ctx, h, gu, N, F);
  });
}

SK_API int sk_swiglu_bwd(sk_context* ctx, float* dgu, float* dh, const float* gu, int64_t N, int64_t F) {
  return call("sk_swiglu_bwd", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(dgu), SK_NOT_NULL(dh), SK_NOT_NULL(gu);
    SK_AT_LEAST(N, 0), SK_AT_LEAST(F, 1);
    return kernels.swiglu_bwd(ctx, dgu, dh, gu, N, F);
  });
}

SK_API int sk_gather(sk_context* ctx, float* out, const float* x, const int32_t* rows, int64_t R, int64_t C) {
  return call("sk_gather", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(out), SK_NOT_NULL(x), SK_NOT_NULL(rows);
    SK_AT_LEAST(R, 0), SK_AT_LEAST(C, 1);
    indices("rows", rows, R, 0, INT64_MAX);
    return kernels.gather(ctx, out, x, rows, R, C);
  });
}

SK_API int sk_scatter(sk_context* ctx, float* dx, const float* d, const int32_t* rows, int64_t R, int64_t N,
                      int64_t C) {
  return call("sk_scatter", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(dx), SK_NOT_NULL(d), SK_NOT_NULL(rows);
    SK_AT_LEAST(R, 0), SK_AT_LEAST(N, 0), SK_AT_LEAST(C, 1);
    indices("rows", rows, R, 0, N);
    ascending("rows", rows, R, 0);
    return kernels.scatter(ctx, dx, d, rows, R, N, C);
  });
}

SK_API int sk_scatter_add(sk_context* ctx, float* x, const float* d, const int32_t* rows, int64_t R,
                          int64_t N, int64_t C) {
  return call("sk_scatter_add", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(x), SK_NOT_NULL(d), SK_NOT_NULL(rows);
    SK_AT_LEAST(R, 0), SK_AT_LEAST(N, 0), SK_AT_LEAST(C, 1);
    indices("rows", rows, R, 0, N);
    ascending("rows", rows, R, 0);
    return kernels.scatter_add(ctx, x, d, rows, R, N, C);
  });
}

SK_API int sk_loss(sk_context* ctx, double* nll, double* distill, float* logits, const int32_t* target,
                   const float* w_nll, const void* teacher, int32_t teacher_f16, const int32_t* teacher_row,
                   const float* w_distill, int32_t mode, int32_t grad, int64_t R, int64_t V) {
  return call("sk_loss", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(nll), SK_NOT_NULL(logits), SK_NOT_NULL(target);
    SK_FLAG(teacher_f16), SK_FLAG(grad);
    SK_AT_LEAST(R, 0), SK_AT_LEAST(V, 1);
    if (grad) SK_NOT_NULL(w_nll);
    if (mode < 0 || mode > 2) throw Error("mode is %d, not 0, 1 or 2", mode);
    indices("target", target, R, INT32_MIN, V);
    if (teacher) {
      SK_NOT_NULL(distill), SK_NOT_NULL(teacher_row);
      if (grad) SK_NOT_NULL(w_distill);
    } else if (teacher_row) {
      for (int64_t r = 0; r < R; r++)
        if (teacher_row[r] >= 0)
          throw Error("teacher is null, but teacher_row[%lld] is %d", static_cast<long long>(r),
                      teacher_row[r]);
    }
    return kernels.loss(ctx, nll, distill, logits, target, w_nll, teacher, teacher_f16, teacher_row,
                        w_distill, mode, grad, R, V);
  });
}

SK_API int sk_adamw(sk_context* ctx, float* w, float* m, float* v, const float* g, float* rounded, int64_t n,
                    float lr, float b1, float b2, float eps, float decay, float grad_scale, int64_t step) {
  return call("sk_adamw", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(w), SK_NOT_NULL(m), SK_NOT_NULL(v), SK_NOT_NULL(g);
    SK_AT_LEAST(n, 0), SK_AT_LEAST(step, 1);
    return kernels.adamw(ctx, w, m, v, g, rounded, n, lr, b1, b2, eps, decay, grad_scale, step);
  });
}

SK_API int sk_dot(sk_context* ctx, double* out, const float* x, const float* y, int64_t n) {
  return call("sk_dot", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(out), SK_NOT_NULL(x), SK_NOT_NULL(y);
    SK_AT_LEAST(n, 0);
    return kernels.dot(ctx, out, x, y, n);
  });
}

SK_API int sk_add_scaled(sk_context* ctx, float* y, const float* x, int64_t n, float scale) {
  return call("sk_add_scaled", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(y), SK_NOT_NULL(x);
    SK_AT_LEAST(n, 0);
    return kernels.add_scaled(ctx, y, x, n, scale);
  });
}

SK_API int sk_add_squares(sk_context* ctx, float* f, const float* g, int64_t n, float scale) {
  return call("sk_add_squares", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(f), SK_NOT_NULL(g);
    SK_AT_LEAST(n, 0);
    return kernels.add_squares(ctx, f, g, n, scale);
  });
}

SK_API int sk_anchor(sk_context* ctx, double* out, float* g, const float* w, const float* fisher,
                     const float* anchor, int64_t n, float lambda) {
  return call("sk_anchor", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(out), SK_NOT_NULL(g), SK_NOT_NULL(w), SK_NOT_NULL(fisher), SK_NOT_NULL(anchor);
    SK_AT_LEAST(n, 0);
    return kernels.anchor(ctx, out, g, w, fisher, anchor, n, lambda);
  });
}

SK_API int sk_zero(sk_context* ctx, float* x, int64_t n) {
  return call("sk_zero", ctx, [&](const Kernels& kernels) {
    SK_NOT_NULL(x);
    SK_AT_LEAST(n, 0);
    return kernels.zero(ctx, x, n);
  });
}
