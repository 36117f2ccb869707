// The compiler's own header of vector instructions, without GCC 12's warnings of it: operands that are
// "undefined", which nothing reads, it takes for mistakes.
#ifndef SEEKR_INTRINSICS_H
#define SEEKR_INTRINSICS_H
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
#endif
