/**
 * Tasks and samples. {@link RecordFile} reads records of any kind of file, {@link RecordFormat}
 * makes examples of them, {@link SampleEncoder} sequences of tokens, and a {@link Batch} packs
 * sequences end to end, without padding, for the model.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.jinja}, {@code
 * dev.seekr.config}, {@code dev.seekr.tensor}, {@code dev.seekr.safetensors}, {@code
 * dev.seekr.state}, {@code dev.seekr.tokenizer}.
 */
package dev.seekr.data;
