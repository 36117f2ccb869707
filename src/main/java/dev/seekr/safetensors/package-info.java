/**
 * Files of tensors as Hugging Face stores them, read and written with their checksums. Models,
 * adapters, replayed samples and checkpoints are such files.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.tensor}.
 */
package dev.seekr.safetensors;
