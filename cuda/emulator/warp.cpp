// Operations of a whole warp. Each lane brings its operands; the last to come computes for all 32 and wakes
// the rest.
#include "state.h"
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace sk {
namespace emulator {

static const char* name(Warp::Operation operation) {
  static const char* const names[] = {"nothing", "shuffle", "ldmatrix", "ldmatrix_transposed", "mma"};
  return names[operation];
}

template <class F> static void together(Warp::Operation operation, void* operands, F compute) {
  const int self = block.current, first = self / 32 * 32;
  Warp& warp = block.warps[size_t(self / 32)];
  if (warp.arrived > 0 && warp.operation != operation)
    fail("%s where other lanes of the warp are at %s", name(operation), name(warp.operation));
  warp.operation = operation;
  warp.lanes[self % 32] = operands;
  if (++warp.arrived < 32) {
    block.threads[size_t(self)].state = Thread::WARP;
    leave();
    return;
  }
  warp.arrived = 0;
  compute(warp.lanes);
  races::Unseen waking;
  for (int i = first; i < first + 32; i++) {
    if (i == self) continue;
    block.threads[size_t(i)].state = Thread::READY;
    block.ready.push_back(i);
  }
}

// PTX ISA, "shfl.sync", idx mode.
double shuffle(double v, int from) {
  struct Lane {
    double in, out;
    int from;
  } lane = {v, 0, from};
  if (from < 0 || from > 31) fail("shuffle from lane %d", from);
  together(Warp::SHUFFLE, &lane, [](void* const* lanes) {
    for (int i = 0; i < 32; i++) {
      auto to = static_cast<Lane*>(lanes[i]);
      to->out = static_cast<Lane*>(lanes[to->from])->in;
    }
  });
  return lane.out;
}

// PTX ISA, "ldmatrix", .m8n8.x4.b16: lanes 8i..8i+7 hold the row addresses of matrix i; lane l receives in
// register i the elements 2(l%4), 2(l%4)+1 of row l/4, with .trans those of column l/4.
void ldmatrix(uint32_t r[4], const void* row, bool transposed) {
  auto p = static_cast<const unsigned char*>(row);
  if (p < block.shared || p + 16 > block.shared + block.launch->shared)
    fail("ldmatrix reads outside shared memory");
  if (reinterpret_cast<uintptr_t>(row) % 16 != 0) fail("ldmatrix of a row that is not aligned to 16 bytes");
  races::reads(row);
  struct Lane {
    const void* row;
    uint32_t* r;
  } lane = {row, r};
  together(transposed ? Warp::LDMATRIX_TRANSPOSED : Warp::LDMATRIX, &lane, [transposed](void* const* lanes) {
    for (int m = 0; m < 4; m++) {
      uint16_t matrix[8][8];
      for (int i = 0; i < 8; i++) std::memcpy(matrix[i], static_cast<Lane*>(lanes[8 * m + i])->row, 16);
      for (int l = 0; l < 32; l++) {
        const int i = l / 4, j = l % 4 * 2;
        const uint16_t low = transposed ? matrix[j][i] : matrix[i][j],
                       high = transposed ? matrix[j + 1][i] : matrix[i][j + 1];
        static_cast<Lane*>(lanes[l])->r[m] = low | uint32_t(high) << 16;
      }
    }
  });
}

// As tensor cores of the A100 and later add, by what others have measured of them: products are exact; they
// and the sum so far are aligned to the largest of them, what hangs over behind a float's last bit and EXTRA
// more is cut off, and so is the result. An A100 takes 8 products at once, an H100 more; 1 bit is the fewest
// that were found.
float aligned_sum(float c, const float* a, const float* b) {
  constexpr int GROUP = 8, EXTRA = 1, BITS = 23;
  double terms[GROUP + 1] = {double(c)}, largest = std::fabs(double(c)), sum = 0;
  for (int k = 0; k < GROUP; k++) {
    terms[k + 1] = double(a[k]) * b[k];
    largest = std::fmax(largest, std::fabs(terms[k + 1]));
    sum += terms[k + 1];
  }
  if (largest == 0 || !std::isfinite(sum)) return float(sum);
  const double unit = std::ldexp(1, std::ilogb(largest) - BITS - EXTRA);
  sum = 0;
  for (double term : terms) sum += std::trunc(term / unit);
  const float result = float(sum * unit);
  return std::fabs(double(result)) > std::fabs(sum * unit) ? std::nextafter(result, 0.0f) : result;
}

static bool as_hardware_adds() {
  static const char* const given = std::getenv("SEEKR_EMULATOR_SUMS");
  static const bool yes = given && !std::strcmp(given, "hardware");
  return yes;
}

// PTX ISA, "Matrix fragments for mma.m16n8k16 with floating point type": see FragA and FragB in device.cuh.
// Products are exact in double, and their sum is rounded to float once: so what a test sees is the kernel's
// own error. With SEEKR_EMULATOR_SUMS=hardware they are added as the hardware does, 8 at a time.
void mma(float c[4], const float a[8], const float b[4]) {
  struct Lane {
    float* c;
    const float *a, *b;
  } lane = {c, a, b};
  together(Warp::MMA, &lane, [](void* const* lanes) {
    counts.products++;
    float A[16][16], B[8][16]; // B by columns
    for (int l = 0; l < 32; l++) {
      auto from = static_cast<Lane*>(lanes[l]);
      const int g = l / 4, t = l % 4;
      for (int i = 0; i < 8; i++) A[g + i / 2 % 2 * 8][2 * t + i % 2 + i / 4 * 8] = from->a[i];
      for (int i = 0; i < 4; i++) B[g][2 * t + i % 2 + i / 2 * 8] = from->b[i];
    }
    for (int l = 0; l < 32; l++) {
      auto to = static_cast<Lane*>(lanes[l]);
      for (int i = 0; i < 4; i++) {
        const float *row = A[l / 4 + i / 2 * 8], *column = B[l % 4 * 2 + i % 2];
        if (as_hardware_adds()) {
          for (int k = 0; k < 16; k += 8) to->c[i] = aligned_sum(to->c[i], row + k, column + k);
          continue;
        }
        double sum = to->c[i];
        for (int k = 0; k < 16; k++) sum += double(row[k]) * column[k];
        to->c[i] = float(sum);
      }
    }
  });
}

} // namespace emulator
} // namespace sk
