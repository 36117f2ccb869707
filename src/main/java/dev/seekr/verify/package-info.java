/**
 * Comparison with reference numbers that PyTorch and other programs computed: forward passes,
 * gradients, whole runs of methods, general ability. It goes through the code that training uses.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.config}, {@code
 * dev.seekr.tensor}, {@code dev.seekr.safetensors}, {@code dev.seekr.distributed}, {@code
 * dev.seekr.ops}, {@code dev.seekr.ops.reference}, {@code dev.seekr.data}, {@code dev.seekr.model},
 * {@code dev.seekr.method}, {@code dev.seekr.evaluation}, {@code dev.seekr.general}, {@code
 * dev.seekr.trainer}.
 */
package dev.seekr.verify;
