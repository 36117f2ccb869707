/**
 * The commands: one class each, which reads words, calls the layers below and prints. {@link Main}
 * is the program, and turns what is thrown into a message and an exit code.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.config}, {@code
 * dev.seekr.tensor}, {@code dev.seekr.distributed}, {@code dev.seekr.ops}, {@code
 * dev.seekr.ops.reference}, {@code dev.seekr.backends}, {@code dev.seekr.data}, {@code
 * dev.seekr.model}, {@code dev.seekr.convert}, {@code dev.seekr.method}, {@code
 * dev.seekr.evaluation}, {@code dev.seekr.general}, {@code dev.seekr.report}, {@code
 * dev.seekr.trainer}, {@code dev.seekr.run}, {@code dev.seekr.page}, {@code dev.seekr.bench},
 * {@code dev.seekr.verify}.
 */
package dev.seekr.cli;
