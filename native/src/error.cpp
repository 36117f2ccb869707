// The last error of each thread.
#include "error.h"
#include "../include/seekr.h"

namespace sk {

static thread_local char last_error[640];

void set_last_error(const char* function, const char* message) {
  std::snprintf(last_error, sizeof last_error, "%s: %s", function, message);
}

} // namespace sk

SK_API const char* sk_last_error(void) { return sk::last_error; }
