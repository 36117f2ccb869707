// The tests' own yardstick: what is near, what is not, and what nothing may be measured by.
#include "check.h"
#include <cmath>
#include <limits>

static const float inf = std::numeric_limits<float>::infinity(), no_number = NAN;

// One element in the middle of three, and what plain code makes of it.
static bool near(float got, double exact, float plain, double floor) {
  const float g[3] = {1, got, 2}, p[3] = {1, plain, 2};
  const double e[3] = {1, exact, 2};
  return difference(g, e, p, 3, floor).empty();
}
static bool near(float got, double exact, double floor) {
  const float g[3] = {1, got, 2};
  const double e[3] = {1, exact, 2};
  return difference(g, e, nullptr, 3, floor).empty();
}
static bool near_doubles(double got, double exact, double relative) {
  const double g[3] = {1, got, 2}, e[3] = {1, exact, 2};
  return difference(g, e, 3, relative).empty();
}

void check_tests() {
  check(near(3.2f, 3, 3.1f, 1e-3), "twice the error of plain code is near");
  check(!near(3.3f, 3, 3.1f, 1e-3), "three times its error is not");
  check(near(3.003f, 3, 1e-3) && !near(3.005f, 3, 1e-3), "without plain code the floor decides");
  check(near_doubles(3.003, 3, 1e-3) && !near_doubles(3.005, 3, 1e-3), "a share of doubles");
  check(!near(no_number, 3, 3.1f, 1) && !near(inf, 3, 3.1f, 1), "NaN and infinity are near nothing");
  check(!near_doubles(NAN, 3, 1) && !near_doubles(inf, 3, 1), "among doubles too");
  for (float endless : {inf, -inf, no_number}) {
    check(!near(3, 3, endless, 1e-3), "plain code that comes to %g measures nothing", endless);
    for (float got : {3.0f, endless})
      check(!near(got, endless, 3, 1e-3) && !near(got, endless, 1e-3) && !near_doubles(got, endless, 1e-3),
            "nothing is near %g", endless);
    check(!near(3, 3, 3, endless) && !near(3, 3, endless) && !near_doubles(3, 3, endless),
          "an error of %g is not allowed", endless);
  }
}
