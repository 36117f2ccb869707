// Every function of the libcublas.so.12 that forwards reaches its namesake of a libcublas.so.13: here one
// whose functions answer with their numbers.
#include "../../native/test/check.h"
#include <dlfcn.h>
#include <libgen.h>
#include <string>
#include <unistd.h>

static const char* const names[] = {
#define X(name) #name,
#include "names.inc"
#undef X
};

static void* beside_this_program(const char* file) {
  char path[4096] = {};
  if (readlink("/proc/self/exe", path, sizeof path - 1) < 0) return nullptr;
  return dlopen((std::string(dirname(path)) + "/" + file).c_str(), RTLD_NOW);
}

void cublas_tests() {
  void *numbered = beside_this_program("libcublas.so.13"),
       *forward = beside_this_program("../cublas/libcublas.so.12");
  check(numbered && forward, "the libraries of cuBLAS's names load: %s",
        numbered && forward ? "" : dlerror());
  if (!numbered || !forward) return;
  int number = 0, wrong = 0;
  for (const char* name : names) {
    auto f = reinterpret_cast<int (*)()>(dlvsym(forward, name, "libcublas.so.12"));
    wrong += !f || f() != ++number;
  }
  check(number == 494 && wrong == 0, "of %d functions %d do not reach their namesakes", number, wrong);
}
