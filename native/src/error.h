// Errors become a status and a message: throw Error anywhere below guard().
#ifndef SEEKR_ERROR_H
#define SEEKR_ERROR_H
#include <cstdarg>
#include <cstdio>
#include <exception>

namespace sk {

class Error : public std::exception {
  char message[512];

public:
  __attribute__((format(printf, 2, 3))) explicit Error(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
  }
  const char* what() const noexcept override { return message; }
};

// What sk_last_error() answers on this thread.
void set_last_error(const char* function, const char* message);

// The status of f(), or 1 when it throws.
template <class F> int guard(const char* function, F f) {
  try {
    return f();
  } catch (const std::exception& e) {
    set_last_error(function, e.what());
  } catch (...) {
    set_last_error(function, "unknown error");
  }
  return 1;
}

} // namespace sk
#endif
