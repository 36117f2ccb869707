/* Seekr kernel ABI: every kernel of every kernel library is declared here, once.
 *
 * Conventions
 *   - Every function returns 0, or a non-zero status; sk_last_error() then tells why (per thread).
 *   - A kernel takes one struct that holds all its arguments, and looks at each index in it before it
 *     computes.
 *   - Arrays are dense and row-major; the shape stands beside each pointer. float is IEEE binary32.
 *   - A batch is packed: N tokens of S sequences lie end to end, sequence s is rows
 *     [cu_seqlens[s], cu_seqlens[s+1]).  C: channels, F: feed-forward width, V: vocabulary, HS: head size,
 *     NH / NKV: query / key-value heads, query head h reads key-value head h / (NH / NKV).
 *   - "+=" marks outputs that are added to; all others are overwritten.
 *   - qkv rows are [NH query heads | NKV key heads | NKV value heads] x HS.
 *   - CUDA: arrays of float, teacher logits and 16-bit arrays lie on the device, arrays of integers and of
 *     double on the host. Calls return before their kernels have run, but for those that yield doubles.
 *   - Activations and weights, marked float here, are of the context's element type; lse, rstd, cos, sin,
 *     weights of losses, stored attention rows, gradients of weights and everything an optimizer sees are
 *     always float.
 *   - Results do not depend on the number of threads, and the same call gives the same bits again.
 */
#ifndef SEEKR_H
#define SEEKR_H
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SK_API __attribute__((visibility("default")))
#else
#define SK_API
#endif

typedef struct sk_context sk_context;

/* threads <= 0: one for each CPU this process may run on. isa: "auto", "avx512", "avx2" or "scalar".
 * CUDA: a context in the calling thread's CUDA context; threads is 0, isa "auto". */
SK_API int sk_create(sk_context** ctx, int32_t threads, const char* isa);
SK_API int sk_destroy(sk_context* ctx);
SK_API const char* sk_last_error(void);
/* The type of elements (0 float, 1 bfloat16, 2 half) and, of CUDA, the CUstream of all later calls; at first
 * 0 and the default stream. On CPUs 0 or 1, and NULL. */
SK_API int sk_configure(sk_context* ctx, int32_t element, void* stream);
/* The instruction set the context runs on; CUDA: "f32", "bf16" or "f16". */
SK_API const char* sk_isa(sk_context* ctx);

/* ---- products ---- */

/* Row-major C = alpha op(A) op(B) + beta C on the calling thread alone, op by 'N' or 'T', as oneDNN's
 * dnnl_sgemm; 0 is success. C is not read where beta is 0. */
typedef int sk_sgemm(char transa, char transb, int64_t M, int64_t N, int64_t K, float alpha, const float* A,
                     int64_t lda, const float* B, int64_t ldb, float beta, float* C, int64_t ldc);

/* y[M,N] = alpha A B (+ y when accumulate), A is a[M,K] or, ta, a[K,M]; B is b[K,N] or, tb, b[N,K]. wide: y
 * is of float, whatever elements are. Sums are float, and rounded once. sgemm multiplies floats, and bfloat16
 * that were made floats; the context splits the work over its threads. A product of at most 16 rows, B alone
 * transposed, is the library's own. CUDA: an error, since cuBLAS is called from Java. */
typedef struct sk_product {
  sk_sgemm* sgemm;
  float* y;
  const float* a;
  const float* b;
  int64_t M, N, K;
  int32_t ta, tb, accumulate, wide;
  float alpha;
} sk_product;
SK_API int sk_matmul(sk_context* ctx, const sk_product* a);

/* Who multiplies bfloat16: "amx" and "vdpbf16" (AVX512-BF16), the library's own products and attention,
 * which take subnormals for 0; "sgemm", of operands made floats; or "auto", the fastest on this CPU, which
 * never depends on the moment. An error where the CPU or the context's isa has none. At first sgemm. CUDA: an
 * error. */
SK_API int sk_multiply_by(sk_context* ctx, const char* who);
/* Who does: "sgemm", "vdpbf16" or "amx"; CUDA: "cuBLAS". */
SK_API const char* sk_multiplier(sk_context* ctx);

/* ---- norms, positions, elementwise ---- */

/* dw[tokens[n]] += dx[n], in order of n, where tokens[n] is not -1.  dx [N,C], tokens [N], dw [V,C] of float.
 * Forward is sk_gather. */
typedef struct sk_embedding_gradient {
  float* dw;
  const int32_t* tokens;
  const float* dx;
  int64_t N, C, V;
} sk_embedding_gradient;
SK_API int sk_embedding_bwd(sk_context* ctx, const sk_embedding_gradient* a);

/* x = a + b (b NULL: x is a, and x is not written);  rstd[n] = 1/sqrt(mean_c x^2 + eps);  y = x * rstd * w
 * y, x, a, b [N,C], rstd [N], w [C] */
typedef struct sk_rmsnorm {
  float* y;
  float* x;
  float* rstd;
  const float* a;
  const float* b;
  const float* w;
  int64_t N, C;
  float eps;
} sk_rmsnorm;
SK_API int sk_rmsnorm_fwd(sk_context* ctx, const sk_rmsnorm* a);
/* xhat = x*rstd, g = dy*w:  dx += rstd * (g - xhat * mean_c(g*xhat));
 * dw += sum_n dy*xhat (dw NULL: not computed) */
typedef struct sk_rmsnorm_gradient {
  float* dx;
  float* dw;
  const float* dy;
  const float* x;
  const float* rstd;
  const float* w;
  int64_t N, C;
} sk_rmsnorm_gradient;
SK_API int sk_rmsnorm_bwd(sk_context* ctx, const sk_rmsnorm_gradient* a);

/* Rotates, in place, query and key heads of qkv [N,(NH+2NKV)*HS]: with i < HS/2 and a = positions[n]*freq[i],
 * (u_i, u_{i+HS/2}) <- (u_i cos a - u_{i+HS/2} sin a, u_{i+HS/2} cos a + u_i sin a).
 * cos, sin [P,HS/2] hold the table for positions < P.  bwd: the inverse rotation, of the gradient. */
typedef struct sk_rope {
  float* qkv;
  const int32_t* positions;
  const float* cos;
  const float* sin;
  int64_t N, NH, NKV, HS, P;
} sk_rope;
SK_API int sk_rope_fwd(sk_context* ctx, const sk_rope* a);
SK_API int sk_rope_bwd(sk_context* ctx, const sk_rope* a);

/* gu rows are [gate | up]:  h = silu(gate) * up, silu(z) = z / (1 + exp(-z))      h [N,F], gu [N,2F] */
typedef struct sk_swiglu {
  float* h;
  const float* gu;
  int64_t N, F;
} sk_swiglu;
SK_API int sk_swiglu_fwd(sk_context* ctx, const sk_swiglu* a);
/* dgu [N,2F];  dgate = dh up sig(gate) (1 + gate (1 - sig(gate))),  dup = dh silu(gate).
 * h is recomputed into dh's place. */
typedef struct sk_swiglu_gradient {
  float* dgu;
  float* dh;
  const float* gu;
  int64_t N, F;
} sk_swiglu_gradient;
SK_API int sk_swiglu_bwd(sk_context* ctx, const sk_swiglu_gradient* a);

/* x [N,C], d [R,C], rows [R].
 * gather: d[r] = x[rows[r]], or as it is where rows[r] is -1; in any order.  The others ascend:
 * scatter: x = 0, then x[rows[r]] += d[r].  scatter_add: x[rows[r]] += d[r]. */
typedef struct sk_rows {
  float* x;
  float* d;
  const int32_t* rows;
  int64_t R, N, C;
} sk_rows;
SK_API int sk_gather(sk_context* ctx, const sk_rows* a);
SK_API int sk_scatter(sk_context* ctx, const sk_rows* a);
SK_API int sk_scatter_add(sk_context* ctx, const sk_rows* a);

/* Inverted dropout: y[n,c] = kept ? x[n,c] / (1-p) : 0 (+ y[n,c] when accumulate); y, x [N,C], keys [N],
 * 0 <= p < 1. What is kept is a hash of keys[n], salt and c, so that nothing is stored and it is the same in
 * every library. With k = mix64(keys[n] + salt), all unsigned:
 *   kept = mix32(mix32(c + k mod 2^32) ^ k / 2^32) / 2 >= p 2^31       (quotients and p 2^31 rounded down)
 *   mix64: z ^= z >> 30;  z *= 0xBF58476D1CE4E5B9;  z ^= z >> 27;  z *= 0x94D049BB133111EB;  z ^= z >> 31
 *   mix32: h ^= h >> 16;  h *= 0x85EBCA6B;  h ^= h >> 13;  h *= 0xC2B2AE35;  h ^= h >> 16 */
typedef struct sk_dropped_rows {
  float* y;
  const float* x;
  const int64_t* keys;
  int64_t N, C, salt;
  float p;
  int32_t accumulate;
} sk_dropped_rows;
SK_API int sk_dropout(sk_context* ctx, const sk_dropped_rows* a);

/* ---- attention ---- */

/* Causal attention. Row t of a sequence sees keys j <= t, and of those only the last `window` where
 * window > 0 (t - window < j):
 * S_tj = scale q_t.k_j, lse_t = log sum_j exp S_tj, A_tj = exp(S_tj - lse_t), o_t = sum_j A_tj v_j
 * o [N,NH*HS], lse [N,NH]; cu_seqlens[S] is N */
typedef struct sk_attention {
  float* o;
  float* lse;
  const float* qkv;
  const int32_t* cu_seqlens;
  int64_t N, S, NH, NKV, HS, window;
  float scale;
} sk_attention;
SK_API int sk_attention_fwd(sk_context* ctx, const sk_attention* a);

/* Sampled queries of selected heads of one layer: whose attention rows are captured, compared or distilled.
 * Row i is position pos[i] of its own sequence; rows of sequence s are [row_start[s], row_start[s+1]),
 * ascending and distinct. Its block in p holds H causal prefixes, [H, pos[i]+1], and begins at element
 * H * prefix[i]; outside the window it holds 0. row_start NULL: no queries are named. */
typedef struct sk_queries {
  int64_t H;                /* selected heads of this layer */
  const int32_t* heads;     /* [H] ascending, distinct */
  const int32_t* row_start; /* [S+1] */
  const int32_t* pos;       /* [R] */
  const int64_t* prefix;    /* [R] sum of pos[i']+1 over i' < i */
  const float* weight;      /* [R] weight of KL_i in the loss; unused by capture */
  float* p;                 /* attention probabilities: read by distillation, written by capture */
} sk_queries;

/* dA_tj = do_t.v_j, D_t = do_t.o_t, dS_tj = A_tj (dA_tj - D_t), then dq, dk, dv into dqkv (shape of qkv).
 * sens [S,NH] (or NULL) = sum_j dA_tj^2 over what rows see, from do alone.
 * queries (if named): attention distillation of stored rows P, added to dS before it is used:
 *   eps == 0:  KL_i = sum_j P_j (log P_j - log A_j),        dS_j += weight_i (A_j - P_j)
 *   eps  > 0:  KL_i = sum_j P_j (log P_j - log(A_j + eps)), g_j = P_j/(A_j+eps),
 *   dS_j += weight_i A_j (sum_j A_j g_j - g_j)
 *   kl [R,H] = KL_i of each row and selected head, unweighted; terms with P_j = 0 are 0. */
typedef struct sk_attention_gradient {
  sk_attention of;
  float* dqkv;
  const float* dout;
  double* sens;
  double* kl;
  sk_queries queries;
  float eps;
} sk_attention_gradient;
SK_API int sk_attention_bwd(sk_context* ctx, const sk_attention_gradient* a);

/* Writes A of the queries into queries.p; o is not looked at. */
typedef struct sk_attention_rows {
  sk_attention of;
  sk_queries queries;
} sk_attention_rows;
SK_API int sk_attention_capture(sk_context* ctx, const sk_attention_rows* a);

/* diff [S,NH] = sum of (A_tj - A'_tj)^2 of two models over j <= t and all rows t or, if queries are named,
 * over theirs, each counted weight[i] times; queries.heads and p are not looked at, nor is o. */
typedef struct sk_attention_change {
  double* diff;
  sk_attention of;
  const float* qkv2;
  const float* lse2;
  sk_queries queries;
} sk_attention_change;
SK_API int sk_attention_diff(sk_context* ctx, const sk_attention_change* a);

/* One new token a sequence: appends its k, v to the caches at lengths[b] and attends to lengths[b]+1
 * positions, of which it sees the last `window` where window > 0. qkv [B,(NH+2NKV)*HS], o [B,NH*HS],
 * kcache, vcache [B,NKV,T,HS], lengths [B] (positions already cached). */
typedef struct sk_decode {
  float* o;
  float* kcache;
  float* vcache;
  const float* qkv;
  const int32_t* lengths;
  int64_t B, T, NH, NKV, HS, window;
  float scale;
} sk_decode;
SK_API int sk_attention_decode(sk_context* ctx, const sk_decode* a);

/* ---- loss ---- */

/* Loss rows: z = logits[r] [V], q = softmax(z), p = softmax(teacher[teacher_row[r]]), y = target[r].
 *   nll[r]     = y < 0 ? 0 : lse(z) - z_y
 *   distill[r] = teacher_row[r] < 0 ? 0 : mode 0: KL(p||q)   mode 1: -sum p log q   mode 2: mean_v (z - t)^2
 *   logits[r] <- w_nll[r] (q - onehot_y) + w_distill[r] * (mode 0, 1: q - p;  mode 2: 2 (z - t)/V)
 * teacher [*,V] is float (teacher_f16 = 0) or IEEE half (1), raw logits; NULL when nothing is distilled. grad
 * = 0 leaves logits. */
typedef struct sk_loss_rows {
  double* nll;
  double* distill;
  float* logits;
  const int32_t* target;
  const float* w_nll;
  const void* teacher;
  const int32_t* teacher_row;
  const float* w_distill;
  int64_t R, V;
  int32_t teacher_f16, mode, grad;
} sk_loss_rows;
SK_API int sk_loss(sk_context* ctx, const sk_loss_rows* a);

/* ---- optimizer: vectors of n ---- */

/* g' = grad_scale g;  m = b1 m + (1-b1) g';  v = b2 v + (1-b2) g'^2;
 * w -= lr (m/(1-b1^step) / (sqrt(v/(1-b2^step)) + eps) + decay w).   step counts from 1
 * rounded: the new w, to the nearest of the context's element type, or with rounded_bf16 of bfloat16; NULL
 * where w itself is what the model reads.
 * With mv_bf16 m and v are of bfloat16, with w_bf16 besides w too, with g_bf16 besides g; rounded is NULL.
 * What is computed is float all the same, no product fused into a sum, and rounded when it is stored: away
 * from 0 as often as what is cut off is part of a unit. Which it is follows from key and i alone, so that
 * every library stores the same bits. With k = mix64(key + i / 2^32) and mix64, mix32 as in sk_dropped_rows:
 *   r = mix32(mix32((i + k) mod 2^32) ^ k / 2^32);   m: r mod 2^16,  v: r / 2^16,  w: mix32(~r) mod 2^16
 * is added to the bits of the float, of which the upper 16 are kept. */
typedef struct sk_adamw_step {
  float* w;
  float* m;
  float* v;
  const float* g;
  float* rounded;
  int64_t n, step, key;
  float lr, b1, b2, eps, decay, grad_scale;
  int32_t w_bf16, mv_bf16, g_bf16, rounded_bf16;
} sk_adamw_step;
SK_API int sk_adamw(sk_context* ctx, const sk_adamw_step* a);

/* out[0] = sum of x y, NaN and Inf included; x and y may be the same. With bf16 both are of bfloat16. */
typedef struct sk_pair {
  double* out;
  const float* x;
  const float* y;
  int64_t n;
  int32_t bf16;
} sk_pair;
SK_API int sk_dot(sk_context* ctx, const sk_pair* a);

/* add_scaled: y += scale x.  add_squares: y += scale x^2. */
typedef struct sk_scaled {
  float* y;
  const float* x;
  int64_t n;
  float scale;
} sk_scaled;
SK_API int sk_add_scaled(sk_context* ctx, const sk_scaled* a);
SK_API int sk_add_squares(sk_context* ctx, const sk_scaled* a);

/* Pulls w towards an anchor a, each weight as strongly as F says: out[0] = lambda/2 sum F (w-a)^2,
 * g += lambda F (w-a). */
typedef struct sk_pull {
  double* out;
  float* g;
  const float* w;
  const float* fisher;
  const float* anchor;
  int64_t n;
  float lambda;
} sk_pull;
SK_API int sk_anchor(sk_context* ctx, const sk_pull* a);

/* x = 0 */
typedef struct sk_vector {
  float* x;
  int64_t n;
} sk_vector;
SK_API int sk_zero(sk_context* ctx, const sk_vector* a);

#ifdef __cplusplus
}
#endif
#endif
