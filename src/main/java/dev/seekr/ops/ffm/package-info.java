/**
 * Operations by a native library with the functions of {@code native/include/seekr.h}, called
 * through Java's foreign functions. It finds, verifies and loads such libraries, writes arguments
 * into their structs, and turns their errors into Java's. Large products on CPUs are oneDNN's.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.tensor}, {@code dev.seekr.ops}.
 */
package dev.seekr.ops.ffm;
