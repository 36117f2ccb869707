// Tiles of rows in shared memory, and the products that tensor cores make of them.
#ifndef SEEKR_ATTENTION_TILE_CUH
#define SEEKR_ATTENTION_TILE_CUH
#include "device.cuh"

namespace sk {

// Times 16 rows a warp: what it reads of the other operand serves them all, so that shared memory keeps up
// with the tensor cores. Floats would not fit into registers twice.
template <class T> constexpr int ROW_TILES = sizeof(T) == 4 ? 1 : 2;

// Rows of D elements in shared memory. Their 16-byte chunks are permuted (XOR with the row) so that the eight
// rows which ldmatrix reads at once lie in different banks.
template <class T, int D> struct Tile {
  static constexpr int E = 16 / sizeof(T), CHUNKS = D / E;
  static constexpr int MASK = CHUNKS < 8 ? CHUNKS - 1 : 7, ROWS_A_LINE = CHUNKS < 8 ? 8 / CHUNKS : 1;
  T* at;
  SK_DEVICE static int place(int row, int c) { return row * D + (c ^ (row / ROWS_A_LINE & MASK)) * E; }
  SK_DEVICE T* chunk(int row, int c) const { return at + place(row, c); }
  SK_DEVICE T* element(int row, int column) const { return chunk(row, column / E) + column % E; }
  // From a lane's place of chunk 0 or 1 to one `row` rows, a multiple of 16, and `c` chunks on, c even: an
  // XOR that all rows share, and constants that fit into the instruction.
  SK_DEVICE T* beyond(int place, int row, int c) const {
    return at + (place ^ (c & 7) * E) + row * D + (c & ~7) * E;
  }
  // A lane's places as ldmatrix wants them, for 16 rows by chunks 0 and 1: of A, or of B whose rows are k; of
  // B whose rows are columns.
  SK_DEVICE static int place_a() { return place(lane() % 16, lane() / 16); }
  SK_DEVICE static int place_b() { return place(lane() % 8 + lane() / 16 * 8, lane() / 8 % 2); }
  SK_DEVICE Tile below(int row) const { return {at + row * D}; } // row: a multiple of 16
};

// Copies rows [0, count) of HS elements, `ld` apart, into a tile of ROWS rows, and zeros into the rest of it,
// element by element.
template <int ROWS, int THREADS, class T, int D>
SK_DEVICE void copy_elements(const Tile<T, D>& tile, const T* rows, int64_t ld, int count, int HS) {
  SK_ROLLED
  for (int i = thread(); i < ROWS * D; i += THREADS) {
    const int row = i / D, c = i % D;
    *tile.element(row, c) = row < count && c < HS ? rows[row * ld + c] : from_float<T>(0);
  }
}

// The same; `aligned`: by asynchronous copies of 16 bytes, to be committed and waited for.
template <int ROWS, int THREADS, class T, int D>
SK_DEVICE void load_tile(const Tile<T, D>& tile, const T* rows, int64_t ld, int count, int64_t HS,
                         bool aligned) {
  constexpr int E = Tile<T, D>::E, CHUNKS = D / E, STEP = THREADS / CHUNKS;
  static_assert(ROWS % STEP == 0, "threads stay in their column");
  if (aligned) {
    const int first = thread() / CHUNKS, c = thread() % CHUNKS, valid = (c * E < HS ? count : 0) - first;
    const T* from = rows + first * ld + c * E;
    SK_UNROLL
    for (int row = 0; row < ROWS; row += STEP, from += STEP * ld)
      cp_async16(tile.chunk(first + row, c), from, row < valid);
  } else {
    copy_elements<ROWS, THREADS>(tile, rows, ld, count, int(HS));
  }
}

// A: rows [row, row+16) x k [k0, k0+16) of a tile; place: place_a().
template <class T, int D>
SK_DEVICE void load_a(FragA<T>& a, const Tile<T, D>& tile, int place, int row, int k0) {
  if constexpr (sizeof(T) == 4) {
    const int g = lane() / 4, t = lane() % 4;
    SK_UNROLL
    for (int i = 0; i < 8; i++)
      a.r[i] = *tile.element(row + g + i / 2 % 2 * 8, k0 + 2 * t + i % 2 + i / 4 * 8);
  } else {
    ldmatrix(a.r, tile.beyond(place, row, k0 / 8));
  }
}

// B, twice: columns [n, n+8) and [n+8, n+16), k [k0, k0+16), where the tile's rows are B's columns (K in Q
// K^T); place: place_b().
template <class T, int D>
SK_DEVICE void load_b(FragB<T> b[2], const Tile<T, D>& tile, int place, int n, int k0) {
  if constexpr (sizeof(T) == 4) {
    const int g = lane() / 4, t = lane() % 4;
    SK_UNROLL
    for (int i = 0; i < 8; i++)
      b[i / 4].r[i % 4] = *tile.element(n + i / 4 * 8 + g, k0 + 2 * t + i % 2 + i / 2 % 2 * 8);
  } else {
    uint32_t r[4];
    ldmatrix(r, tile.beyond(place, n, k0 / 8));
    b[0].r[0] = r[0], b[0].r[1] = r[1], b[1].r[0] = r[2], b[1].r[1] = r[3];
  }
}

// The same where the tile's rows are B's k (V in A V); place: place_a().
template <class T, int D>
SK_DEVICE void load_b_transposed(FragB<T> b[2], const Tile<T, D>& tile, int place, int k0, int n) {
  if constexpr (sizeof(T) == 4) {
    const int g = lane() / 4, t = lane() % 4;
    SK_UNROLL
    for (int i = 0; i < 8; i++)
      b[i / 4].r[i % 4] = *tile.element(k0 + 2 * t + i % 2 + i / 2 % 2 * 8, n + i / 4 * 8 + g);
  } else {
    uint32_t r[4];
    ldmatrix_transposed(r, tile.beyond(place, k0, n / 8));
    b[0].r[0] = r[0], b[0].r[1] = r[1], b[1].r[0] = r[2], b[1].r[1] = r[3];
  }
}

// A from two neighbouring accumulators: what a product yields is, register by register, what the next one
// takes.
template <class T> SK_DEVICE void as_a(FragA<T>& a, const float c0[4], const float c1[4]) {
  if constexpr (sizeof(T) == 4) {
    SK_UNROLL
    for (int i = 0; i < 4; i++) a.r[i] = c0[i], a.r[4 + i] = c1[i];
  } else {
    a.r[0] = pack<T>(c0[0], c0[1]), a.r[1] = pack<T>(c0[2], c0[3]);
    a.r[2] = pack<T>(c1[0], c1[1]), a.r[3] = pack<T>(c1[2], c1[3]);
  }
}

// c [16 MT, 8 NT] += A B^T: the first 16 MT rows of a, or fragments of them that were loaded before, and all
// rows of b.
template <int MT, int NT, class A, class T, int D>
SK_DEVICE void product(float c[MT][NT][4], const A& a, const Tile<T, D>& b) {
  const int place_a = pinned(b.place_a()), place_b = pinned(b.place_b());
  SK_UNROLL
  for (int k = 0; k < D; k += 16) {
    FragA<T> fa[MT];
    SK_UNROLL
    for (int m = 0; m < MT; m++) a.load(fa[m], place_a, 16 * m, k);
    SK_UNROLL
    for (int n = 0; n < NT; n += 2) {
      FragB<T> fb[2];
      load_b(fb, b, place_b, 8 * n, k);
      SK_UNROLL
      for (int m = 0; m < MT; m++) mma(c[m][n], fa[m], fb[0]), mma(c[m][n + 1], fa[m], fb[1]);
    }
  }
}

// Where product takes A from: shared memory each time, or registers that hold it over the whole loop.
template <class T, int D> struct FromTile {
  Tile<T, D> tile;
  SK_DEVICE explicit FromTile(const Tile<T, D>& t) : tile(t) {}
  SK_DEVICE void read() {}
  SK_DEVICE void load(FragA<T>& a, int place, int row, int k) const { load_a(a, tile, place, row, k); }
};
template <int MT, class T, int D> struct Held {
  Tile<T, D> tile;
  FragA<T> fragments[MT][D / 16];
  SK_DEVICE explicit Held(const Tile<T, D>& t) : tile(t) {}
  SK_DEVICE void read() {
    SK_UNROLL
    for (int m = 0; m < MT; m++) {
      SK_UNROLL
      for (int k = 0; k < D / 16; k++) load_a(fragments[m][k], tile, tile.place_a(), 16 * m, 16 * k);
    }
  }
  SK_DEVICE void load(FragA<T>& a, int, int row, int k) const { a = fragments[row / 16][k / 16]; }
};

// c [16 MT, D] += A B: A [16 MT, 8 NT] from accumulators, B a tile of 8 NT rows.
template <int MT, int NT, class T, int D>
SK_DEVICE void accumulate(float c[MT][D / 8][4], const float a[MT][NT][4], const Tile<T, D>& b) {
  const int place = pinned(b.place_a());
  SK_UNROLL
  for (int k = 0; k < NT; k += 2) {
    FragA<T> fa[MT];
    SK_UNROLL
    for (int m = 0; m < MT; m++) as_a(fa[m], a[m][k], a[m][k + 1]);
    SK_UNROLL
    for (int n = 0; n < D / 8; n += 2) {
      FragB<T> fb[2];
      load_b_transposed(fb, b, place, 8 * k, 8 * n);
      SK_UNROLL
      for (int m = 0; m < MT; m++) mma(c[m][n], fa[m], fb[0]), mma(c[m][n + 1], fa[m], fb[1]);
    }
  }
}

// Writes an accumulator [16 MT, D], rows [0, count) of it and HS columns, each times the factor.
template <int MT, class T, int D>
SK_DEVICE void store_rows(T* rows, int64_t ld, int count, int64_t HS, const float c[MT][D / 8][4],
                          const float factor[MT][2]) {
  const int g = lane() / 4, t = lane() % 4;
  SK_UNROLL
  for (int m = 0; m < MT; m++) {
    SK_UNROLL
    for (int n = 0; n < D / 8; n++) {
      SK_UNROLL
      for (int i = 0; i < 4; i++) {
        const int row = 16 * m + g + i / 2 * 8, column = 8 * n + 2 * t + i % 2;
        if (row < count && column < HS)
          rows[row * ld + column] = from_float<T>(c[m][n][i] * factor[m][i / 2]);
      }
    }
  }
}

} // namespace sk
#endif
