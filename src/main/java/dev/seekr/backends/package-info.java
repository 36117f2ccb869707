/**
 * Which library computes: {@link Backends} opens the one that the settings name, or the best that
 * the machine can run. Layers above know {@code Ops} alone.
 *
 * <p>Imports: {@code dev.seekr.config}, {@code dev.seekr.tensor}, {@code dev.seekr.distributed},
 * {@code dev.seekr.ops}, {@code dev.seekr.ops.cuda}, {@code dev.seekr.ops.ffm}, {@code
 * dev.seekr.ops.reference}.
 */
package dev.seekr.backends;
