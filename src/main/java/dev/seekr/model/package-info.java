/**
 * The transformer: shape, weights, adapters and soft prompts, and a {@link Pass} forward and
 * backward through {@code ops}. Begin with {@link Pass}, which reads in the order in which a model
 * runs; {@link LlamaModel} is what a pass runs on.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.config}, {@code
 * dev.seekr.tensor}, {@code dev.seekr.safetensors}, {@code dev.seekr.state}, {@code
 * dev.seekr.distributed}, {@code dev.seekr.ops}, {@code dev.seekr.data}.
 */
package dev.seekr.model;
