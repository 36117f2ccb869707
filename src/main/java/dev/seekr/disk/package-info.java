/**
 * All reading and writing of files. {@link Disk} writes whole or not at all, {@link Reading} reads,
 * and both name the file in every error; {@link RunFolder} knows the paths of a run and {@link
 * Attempt} is the right to write there. No package above changes a file by other means.
 *
 * <p>Imports: {@code dev.seekr}.
 */
package dev.seekr.disk;
