/**
 * All operations in plain Java with sums in double precision: slow, short, and what kernels are
 * compared with. {@code verify} and tests use it; training never does.
 *
 * <p>Imports: {@code dev.seekr.tensor}, {@code dev.seekr.ops}.
 */
package dev.seekr.ops.reference;
