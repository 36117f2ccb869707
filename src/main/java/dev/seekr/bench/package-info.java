/**
 * Speed: steps and answers timed operation by operation, through {@link TimedOps}, which wraps any
 * {@code Ops}.
 *
 * <p>Imports: {@code dev.seekr.disk}, {@code dev.seekr.config}, {@code dev.seekr.tensor}, {@code
 * dev.seekr.distributed}, {@code dev.seekr.ops}, {@code dev.seekr.data}, {@code dev.seekr.model},
 * {@code dev.seekr.method}, {@code dev.seekr.trainer}.
 */
package dev.seekr.bench;
