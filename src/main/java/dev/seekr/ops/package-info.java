/**
 * The operations that a model is made of. An operation is a record that checks its shapes once and
 * writes the struct of {@code native/include/seekr.h} that a kernel takes; {@link Ops} runs it. The
 * packages below this one are the libraries that compute: on CPUs, on NVIDIA's GPUs, and in plain
 * Java as the oracle of tests.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.tensor}.
 */
package dev.seekr.ops;
