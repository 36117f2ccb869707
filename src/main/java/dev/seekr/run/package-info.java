/**
 * A run around its folder: {@link Run} puts model, data, method and trainer together, {@link
 * Checkpoints} and {@link Saving} keep it so that it goes on after every stop, listeners write its
 * log and files, {@link BytePlan} and {@link DiskPlan} say what it will take.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.config}, {@code
 * dev.seekr.tensor}, {@code dev.seekr.safetensors}, {@code dev.seekr.state}, {@code
 * dev.seekr.distributed}, {@code dev.seekr.ops}, {@code dev.seekr.backends}, {@code
 * dev.seekr.tokenizer}, {@code dev.seekr.data}, {@code dev.seekr.model}, {@code dev.seekr.method},
 * {@code dev.seekr.evaluation}, {@code dev.seekr.general}, {@code dev.seekr.report}, {@code
 * dev.seekr.trainer}.
 */
package dev.seekr.run;
