/**
 * Texts to token ids and back, by the tokenizers library that Hugging Face's models are made with.
 * What could end the process or hang it is refused before the library sees it.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.ops.ffm}.
 */
package dev.seekr.tokenizer;
