/**
 * Models of other programs, made into folders that Seekr and transformers load: checkpoints of
 * PyTorch, {@code tokenizer.model}, wrapped names, PEFT adapters. A pickle is never executed, only
 * read.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.tensor}, {@code
 * dev.seekr.safetensors}, {@code dev.seekr.ops}, {@code dev.seekr.tokenizer}, {@code
 * dev.seekr.model}.
 */
package dev.seekr.convert;
