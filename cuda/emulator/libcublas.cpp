// Stand-in for libcublas.so.12: the products Seekr asks JCublas for, in the queues of libcuda.cpp.
#include "../src/device.cuh"
#include <functional>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))
typedef uint64_t CUdeviceptr;
EXPORT void sk_emulator_enqueue(void* stream, std::function<int()>* work);
EXPORT bool sk_emulator_inside(CUdeviceptr address, uint64_t bytes);

namespace {

enum { OK = 0, NOT_INITIALIZED = 1, INVALID_VALUE = 7, NOT_SUPPORTED = 15 };
enum { R_32F = 0, R_16F = 2, R_16BF = 14, COMPUTE_32F = 68 }; // cudaDataType, cublasComputeType_t

struct Handle {
  void* stream = nullptr;
  int mode = 0; // cublasMath_t
};
enum { DISALLOW_REDUCED_PRECISION_REDUCTION = 16 };

struct Matrix {
  CUdeviceptr at;
  int type, ld;
  bool transposed;
  int bytes() const { return type == R_32F ? 4 : 2; }
  float get(int64_t row, int64_t column) const {
    const int64_t i = transposed ? row * ld + column : column * ld + row;
    auto p = reinterpret_cast<const char*>(at) + i * bytes();
    if (type == R_32F) return *reinterpret_cast<const float*>(p);
    return type == R_16F ? sk::to_float(*reinterpret_cast<const sk::f16*>(p))
                         : sk::to_float(*reinterpret_cast<const sk::bf16*>(p));
  }
  void set(int64_t row, int64_t column, float v) const {
    auto p = reinterpret_cast<char*>(at) + (column * ld + row) * bytes();
    if (type == R_32F) *reinterpret_cast<float*>(p) = v;
    else if (type == R_16F) *reinterpret_cast<sk::f16*>(p) = sk::from_float<sk::f16>(v);
    else *reinterpret_cast<sk::bf16*>(p) = sk::from_float<sk::bf16>(v);
  }
  // [rows, columns] as floats
  std::vector<float> packed(int64_t rows, int64_t columns) const {
    std::vector<float> all(size_t(rows * columns));
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < columns; j++) all[size_t(i * columns + j)] = get(i, j);
    return all;
  }
  bool fits(int64_t rows, int64_t columns) const {
    const int64_t height = transposed ? columns : rows, width = transposed ? rows : columns;
    return ld >= height && sk_emulator_inside(at, uint64_t(((width - 1) * ld + height) * bytes()));
  }
};

// Eight partial sums, as wide as an ordinary kernel's.
float dot(const float* a, const float* b, int64_t k) {
  float sums[8] = {};
  int64_t l = 0;
  for (; l + 8 <= k; l += 8)
    for (int i = 0; i < 8; i++) sums[i] += a[l + i] * b[l + i];
  for (; l < k; l++) sums[l % 8] += a[l] * b[l];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

float rounded(float x, int type) {
  return type == R_16F ? sk::to_float(sk::from_float<sk::f16>(x)) : sk::to_float(sk::from_float<sk::bf16>(x));
}

bool known(int type) { return type == R_32F || type == R_16F || type == R_16BF; }

} // namespace

EXPORT const char* cublasGetStatusName(int status) {
  switch (status) {
  case OK: return "CUBLAS_STATUS_SUCCESS";
  case NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
  case INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
  case NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
  default: return "an unknown status of the stand-in";
  }
}
EXPORT const char* cublasGetStatusString(int status) { return cublasGetStatusName(status); }
EXPORT int cublasCreate_v2(void** handle) { return *handle = new Handle, OK; }
EXPORT int cublasDestroy_v2(void* handle) { return delete static_cast<Handle*>(handle), OK; }
EXPORT int cublasSetStream_v2(void* handle, void* stream) {
  return static_cast<Handle*>(handle)->stream = stream, OK;
}
EXPORT int cublasSetMathMode(void* handle, int mode) { return static_cast<Handle*>(handle)->mode = mode, OK; }
EXPORT int cublasSetWorkspace_v2(void*, void* at, size_t bytes) {
  const auto address = reinterpret_cast<CUdeviceptr>(at);
  return address % 256 == 0 && sk_emulator_inside(address, bytes) ? OK : INVALID_VALUE;
}
EXPORT int cublasGetVersion_v2(void*, int* version) { return *version = 0, OK; }

// Column-major C [m,n] = alpha op(A) op(B) + beta C, summed in float; but unless that is disallowed, the
// halves of a long sum are added as numbers of C's type, which cuBLAS may do wherever it splits k. B is read
// as its transpose [n,k].
EXPORT int cublasGemmEx(void* handle, int ta, int tb, int m, int n, int k, const void* alpha, const void* a,
                        int atype, int lda, const void* b, int btype, int ldb, const void* beta, void* c,
                        int ctype, int ldc, int compute, int) {
  if (!handle) return NOT_INITIALIZED;
  if (ta > 1 || tb > 1 || m < 0 || n < 0 || k < 0 || !known(atype) || atype != btype || !known(ctype))
    return INVALID_VALUE;
  if (compute != COMPUTE_32F) return NOT_SUPPORTED;
  const Matrix A{reinterpret_cast<CUdeviceptr>(a), atype, lda, ta == 1},
      B{reinterpret_cast<CUdeviceptr>(b), btype, ldb, tb == 0};
  const Matrix C{reinterpret_cast<CUdeviceptr>(c), ctype, ldc, false};
  if (m == 0 || n == 0) return OK;
  if (!C.fits(m, n) || (k > 0 && (!A.fits(m, k) || !B.fits(n, k)))) return INVALID_VALUE;
  const float x = *static_cast<const float*>(alpha), y = *static_cast<const float*>(beta);
  const bool halves = ctype != R_32F && k >= 512 &&
                      !(static_cast<Handle*>(handle)->mode & DISALLOW_REDUCED_PRECISION_REDUCTION);
  std::function<int()> work = [=] {
    const std::vector<float> rows = A.packed(m, k), columns = B.packed(n, k);
    for (int64_t j = 0; j < n; j++)
      for (int64_t i = 0; i < m; i++) {
        const float *row = rows.data() + i * k, *column = columns.data() + j * k;
        const float sum = halves ? rounded(dot(row, column, k / 2), ctype) +
                                       rounded(dot(row + k / 2, column + k / 2, k - k / 2), ctype)
                                 : dot(row, column, k);
        C.set(i, j, x * sum + (y == 0 ? 0 : y * C.get(i, j)));
      }
    return 0;
  };
  sk_emulator_enqueue(static_cast<Handle*>(handle)->stream, &work);
  return OK;
}
