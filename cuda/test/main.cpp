// Runs the tests of the CUDA side, or those that are named.
#include "../../native/test/check.h"
#include "device.h"
#include <cstdio>
#include <cstring>

extern int passed, failed;
void attention_tests();
void attention_queries_tests();
void driver_tests();
void emulator_tests();
void emulator_values_tests();
void fatal_tests();
int commit(const char* name);

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  open_device();
  if (argc == 3 && !std::strcmp(argv[1], "commit")) return commit(argv[2]);
  auto named = [&](const char* name) { return argc == 1 || !std::strcmp(argv[1], name); };
  if (named("emulator") && emulated())
    emulator_tests(), emulator_values_tests(), driver_tests(), fatal_tests();
  if (named("attention")) attention_tests();
  if (named("queries")) attention_queries_tests();
  check(passed > 0, "no test has such a name");
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
