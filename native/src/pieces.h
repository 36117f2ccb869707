// A product y[M,N] cut into a grid of pieces, each a task of its own. K is never cut.
#ifndef SEEKR_PIECES_H
#define SEEKR_PIECES_H
#include <stdint.h>

namespace sk {

// Sides of a piece are multiples of the tiles of common kernels: 16 and 48 wide, 4, 6, 8, 12, 14 or 16 high.
// On one thread, 1024 x 576 x 1536 and 1024 x 576 x 576, where equal builds differed by up to 8 %:
//   tried PIECE_TILE 16: 17 to 20 % slower, 96: as fast;  FEW_PIECES 4: 8 to 24 % faster, but too few for the
//         threads, 16: 18 to 41 % slower;  MANY_PIECES 32, 128 and LARGE_SIDE 768: no difference to be seen
constexpr int64_t PIECE_TILE = 48;
constexpr int64_t FEW_PIECES = 8, MANY_PIECES = 64;
constexpr int64_t LARGE_SIDE = 384; // from which a library multiplies at full speed
constexpr double WORTH_IT = 20;     // microseconds in one piece, below which threads do not pay

// The shape of a piece follows from M, N and K alone, so the bits of y do not depend on the number of
// threads.
struct Pieces {
  int64_t m, n, across, count;

  Pieces(int64_t M, int64_t N, int64_t K) : m(M), n(N) {
    for (;;) {
      int64_t parts = number(M, m) * number(N, n);
      int64_t& side = m > n ? m : n; // halving the longer side repeats the lesser reading
      int64_t next = half(side);
      bool wanted = parts < FEW_PIECES || (parts < MANY_PIECES && next >= LARGE_SIDE);
      if (!wanted || next >= side || microseconds(m, n, K) < 2 * WORTH_IT) break;
      side = next;
    }
    across = number(N, n);
    count = number(M, m) * across;
  }

private:
  static int64_t half(int64_t side) { return ((side + 1) / 2 + PIECE_TILE - 1) / PIECE_TILE * PIECE_TILE; }
  static int64_t number(int64_t side, int64_t piece) { return (side + piece - 1) / piece; }

  // At 50 multiplications and 5 floats of memory a nanosecond: one core.
  static double microseconds(int64_t m, int64_t n, int64_t k) {
    double compute = double(m) * double(n) * double(k) / 50e3, memory = double(m + n) * double(k) / 5e3;
    return compute > memory ? compute : memory;
  }
};

} // namespace sk
#endif
