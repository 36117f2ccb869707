// matmul of bfloat16 by VDPBF16PS, which adds the products of two neighbouring k in each lane of floats,
// twice what a float FMA does, and takes subnormals for 0.
//
// Both operands are packed into strips (pairs.h). K is summed over in stretches that let strips stay in the
// cache; sums of several stretches are floats until the last. A tile of y is 8 rows by 3 strips: 24 sums in
// registers. What is packed at a time is bounded: a vocabulary's weights would be as much again.
#include "pairs.h"

namespace sk {
namespace SK_ISA {

// k at most. tried 512: 3 to 21 % slower; 2048: for K above 1024 4 to 8 % faster, into floats as fast, but
// twice the memory for strips
static constexpr int64_t STRETCH = 1024;
// tried 8 x 2: as fast, 4 x 3: 2 % faster to 1 % slower, 4 x 6: 0 to 7 % slower
static constexpr int64_t TILE_ROWS = 8, TILE_STRIPS = 3;
// Strips a task multiplies. tried 4, 16 rows; 6, 24 columns: within 1 % for 1024 rows of y, within 4 % for 64
static constexpr int64_t BLOCK_ROWS = 8, BLOCK_COLUMNS = 12;
// Strips of an operand that are packed at a time. tried 96: 8 to 12 % faster for 64 rows of y, but 8 tasks at
// a time, 2 to 4 % for 256 or 512, as fast for 1024; 192: as fast; all at once: 2 % slower
static constexpr int64_t PANEL = 384;

// A tile: 8 rows of the strip a by STRIPS strips b, which lie one behind the other.
template <int STRIPS>
static void tile(const Output& to, const uint32_t* a, const uint32_t* b, int64_t pairs) {
  __m512 sum[TILE_ROWS][STRIPS];
  for (auto& row : sum)
    for (auto& s : row) s = _mm512_setzero_ps();
  for (int64_t p = 0; p < pairs; p++) {
    __m512bh w[STRIPS];
    for (int s = 0; s < STRIPS; s++) w[s] = (__m512bh)_mm512_load_si512(b + (s * pairs + p) * STRIP);
    for (int r = 0; r < TILE_ROWS; r++) {
      const __m512bh x = (__m512bh)_mm512_set1_epi32(int(a[p * STRIP + r]));
      for (int s = 0; s < STRIPS; s++) sum[r][s] = _mm512_dpbf16_ps(sum[r][s], x, w[s]);
    }
  }
  to.put<TILE_ROWS, STRIPS>([&](int r, int s) { return sum[r][s]; });
}

// Strips [begin, end) of an operand.
struct Panel {
  int64_t begin, end;
  int64_t strips() const { return end - begin; }
};

static void multiply(sk_context* ctx, const sk_product* a, const Operand& A, const Operand& B, Panel rows,
                     Panel columns) {
  const int64_t M = a->M, N = a->N, K = a->K, down = rows.strips(), across = columns.strips();
  const int64_t stretches = ceil_div(K, STRETCH), stretch = ceil_div(ceil_div(K, stretches), 2) * 2;
  const bool partial = !a->wide && stretches > 1;
  const int64_t sums_size = partial ? ceil_div(M * N, STRIP) * STRIP : 0;
  float* sums = shared_scratch(ctx, sums_size + (down + across) * STRIP * stretch / 2);
  auto* left = reinterpret_cast<uint32_t*>(sums + sums_size);
  const int64_t blocks_across = ceil_div(across, BLOCK_COLUMNS);
  for (int64_t k = 0; k < K; k += stretch) {
    const int64_t end = least(K, k + stretch), pairs = ceil_div(end - k, 2), strip = pairs * STRIP;
    uint32_t* right = left + down * strip;
    parallel(ctx, down + across, [=](int64_t s, int) {
      if (s < down) pack_across(left + s * strip, A, (rows.begin + s) * STRIP, k, end);
      else pack_across(left + s * strip, B, (columns.begin + s - down) * STRIP, k, end);
    });
    parallel(ctx, ceil_div(down, BLOCK_ROWS) * blocks_across, [=](int64_t block, int) {
      const int64_t r = rows.begin + block / blocks_across * BLOCK_ROWS,
                    c0 = columns.begin + block % blocks_across * BLOCK_COLUMNS;
      const int64_t bottom = least(M, least(rows.end, r + BLOCK_ROWS) * STRIP),
                    last = least(columns.end, c0 + BLOCK_COLUMNS);
      for (int64_t c = c0; c < last; c += TILE_STRIPS)
        for (int64_t m = r * STRIP; m < bottom; m += TILE_ROWS) {
          const int64_t at = m * N + c * STRIP;
          const Output to = {a, at, M - m, N - c * STRIP, partial ? sums + at : nullptr, N, k > 0, end == K};
          const uint32_t *x = left + (m / STRIP - rows.begin) * strip + m % STRIP,
                         *w = right + (c - columns.begin) * strip;
          switch (last - c) {
          case 1: tile<1>(to, x, w, pairs); break;
          case 2: tile<2>(to, x, w, pairs); break;
          default: tile<TILE_STRIPS>(to, x, w, pairs);
          }
        }
    });
  }
}

// y[M,N] = alpha A B (+ y when accumulate), A is a[M,K] or, ta, a[K,M]; B is b[K,N] or, tb, b[N,K]
int matmul(sk_context* ctx, const sk_product* a) {
  const int64_t M = a->M, N = a->N, K = a->K;
  const Operand A = {reinterpret_cast<const uint16_t*>(a->a), M, a->ta ? M : K, !a->ta},
                B = {reinterpret_cast<const uint16_t*>(a->b), N, a->tb ? K : N, a->tb != 0};
  const int64_t down = ceil_div(M, STRIP), across = ceil_div(N, STRIP); // strips
  for (int64_t r = 0; r < down; r += PANEL)
    for (int64_t c = 0; c < across; c += PANEL)
      multiply(ctx, a, A, B, {r, least(down, r + PANEL)}, {c, least(across, c + PANEL)});
  return 0;
}

} // namespace SK_ISA
} // namespace sk
