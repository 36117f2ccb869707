// Runs the tests of the CUDA side, or those that are named.
#include "../../native/test/check.h"
#include "device.h"
#include <algorithm>
#include <cstdio>
#include <cstring>

extern int passed, failed;
void attention_tests();
void attention_queries_tests();
void cublas_tests();
void decode_tests();
void driver_tests();
void dropout_tests();
void elementwise_tests();
void embedding_tests();
void emulator_tests();
void emulator_values_tests();
void fatal_tests();
void loss_tests();
void norm_tests();
void optimizer_tests();
void runtime_tests();
int commit(const char* name);

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  open_device();
  if (argc == 3 && !std::strcmp(argv[1], "commit")) return commit(argv[2]);
  auto named = [&](const char* name) {
    return argc == 1 || std::any_of(argv + 1, argv + argc, [&](char* a) { return !std::strcmp(a, name); });
  };
  if (named("emulator") && emulated())
    emulator_tests(), emulator_values_tests(), driver_tests(), cublas_tests(), fatal_tests();
  if (named("runtime")) runtime_tests();
  if (named("elementwise")) elementwise_tests();
  if (named("embedding")) embedding_tests();
  if (named("dropout")) dropout_tests();
  if (named("loss")) loss_tests();
  if (named("norm")) norm_tests();
  if (named("optimizer")) optimizer_tests();
  if (named("decode")) decode_tests();
  if (named("queries")) attention_queries_tests();
  if (named("attention")) attention_tests();
  check(passed > 0, "no test has such a name");
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
