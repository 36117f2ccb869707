/**
 * Continual learning: what is replayed, which losses and gradients are added, which parameters are
 * trained, what is kept of a finished task. {@link Method} is the contract, {@link Methods} the one
 * place that knows all of them by name.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.config}, {@code
 * dev.seekr.tensor}, {@code dev.seekr.safetensors}, {@code dev.seekr.state}, {@code
 * dev.seekr.distributed}, {@code dev.seekr.ops}, {@code dev.seekr.data}, {@code dev.seekr.model}.
 */
package dev.seekr.method;
