// Runs every test, or those that are named; the closing line is "N passed, M failed".
#include "check.h"
#include <cstdio>
#include <cstring>

extern int passed, failed;

// clang-format off
#define TESTS(X) \
  X(check) X(simd) X(context) X(matmul) X(embedding) X(norm) X(elementwise) X(dropout) X(loss) X(optimizer) \
  X(attention) X(attention_bf16) X(attention_edges)
// clang-format on

#define X(op) void op##_tests();
TESTS(X)
#undef X

static void run(const char* name, void (*tests)()) {
  const int before = passed + failed, failures = failed;
  tests();
  std::printf("%-16s %6d checks, %d failed\n", name, passed + failed - before, failed - failures);
  check(passed + failed > before, "%s: no test ran", name);
}

static bool wanted(const char* name, int argc, char** argv) {
  for (int i = 1; i < argc; i++)
    if (std::strcmp(argv[i], name) == 0) return true;
  return argc == 1;
}

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  std::printf("instruction sets:");
  for (const std::string& isa : instruction_sets()) std::printf(" %s", isa.c_str());
  std::printf("\n");
#define X(op) \
  if (wanted(#op, argc, argv)) run(#op, op##_tests);
  TESTS(X)
#undef X
  check(passed > 0, "no test has such a name");
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
