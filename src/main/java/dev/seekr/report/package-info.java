/**
 * What a run says while it goes on and leaves to be read: its log, tables, progress on a terminal,
 * files for TensorBoard. It knows words and numbers, not models.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}.
 */
package dev.seekr.report;
