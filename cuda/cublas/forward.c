// A libcublas.so.12 that is the libcublas.so.13 of CUDA 13: JCublas is linked against version 12, and all
// that it calls is in 13 under the same names with the same arguments. Each function jumps to its namesake.
#include <dlfcn.h>

// cublasStatus_t CUBLAS_STATUS_NOT_SUPPORTED, where there is no such function, or no library.
static int missing(void) { return 15; }

#define X(name)                                                              \
  __attribute__((used, visibility("hidden"))) void* target_##name = missing; \
  __asm__(".text\n.globl " #name "\n.type " #name ", @function\n" #name ": jmp *target_" #name "(%rip)\n");
#include "names.inc"
#undef X

__attribute__((constructor)) static void find(void) {
  void *library = dlopen("libcublas.so.13", RTLD_NOW), *found;
  if (!library) return;
#define X(name) \
  if ((found = dlsym(library, #name))) target_##name = found;
#include "names.inc"
#undef X
}
