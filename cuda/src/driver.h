// The calls of the CUDA driver that the launchers make. They are looked up when a context is created, so that
// the library loads, and can say what is missing, where there is no driver. Declared here and not taken from
// cuda.h: the library builds without a CUDA toolkit.
#ifndef SEEKR_DRIVER_H
#define SEEKR_DRIVER_H
#include <cstddef>
#include <cstdint>

namespace sk {

typedef int CUresult;
typedef uint64_t CUdeviceptr;
typedef struct CUctx_st* CUcontext;
typedef struct CUmod_st* CUmodule;
typedef struct CUfunc_st* CUfunction;
typedef struct CUstream_st* CUstream;
enum {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_NOT_FOUND = 500,
  MAX_DYNAMIC_SHARED_SIZE_BYTES = 8,
  // CUdevice_attribute
  COMPUTE_CAPABILITY_MAJOR = 75,
  COMPUTE_CAPABILITY_MINOR = 76,
  MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = 97
};

#define SK_DRIVER_CALLS(X)                                                                             \
  X(cuGetErrorName, (CUresult, const char**))                                                          \
  X(cuGetErrorString, (CUresult, const char**))                                                        \
  X(cuCtxGetCurrent, (CUcontext*))                                                                     \
  X(cuCtxSetCurrent, (CUcontext))                                                                      \
  X(cuCtxGetDevice, (int*))                                                                            \
  X(cuDeviceGetAttribute, (int*, int, int))                                                            \
  X(cuModuleLoadData, (CUmodule*, const void*))                                                        \
  X(cuModuleUnload, (CUmodule))                                                                        \
  X(cuModuleGetFunction, (CUfunction*, CUmodule, const char*))                                         \
  X(cuFuncSetAttribute, (CUfunction, int, int))                                                        \
  X(cuLaunchKernel, (CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, \
                     CUstream, void**, void**))                                                        \
  X(cuMemAlloc_v2, (CUdeviceptr*, size_t))                                                             \
  X(cuMemFree_v2, (CUdeviceptr))                                                                       \
  X(cuMemGetInfo_v2, (size_t*, size_t*))                                                               \
  X(cuMemHostAlloc, (void**, size_t, unsigned))                                                        \
  X(cuMemFreeHost, (void*))                                                                            \
  X(cuMemcpyHtoDAsync_v2, (CUdeviceptr, const void*, size_t, CUstream))                                \
  X(cuMemcpyDtoHAsync_v2, (void*, CUdeviceptr, size_t, CUstream))                                      \
  X(cuMemsetD8Async, (CUdeviceptr, unsigned char, size_t, CUstream))                                   \
  X(cuStreamSynchronize, (CUstream))

struct Driver {
#define X(name, parameters) CUresult(*name) parameters;
  SK_DRIVER_CALLS(X)
#undef X
};

// Of libcuda.so.1. Throws Error naming what is missing.
const Driver& driver();

// Throws Error with the call, the driver's own words and, after an error of memory, what is free.
void check(CUresult result, const char* call);
#define SK_CUDA(call, ...) sk::check(sk::driver().call(__VA_ARGS__), #call)

} // namespace sk
#endif
