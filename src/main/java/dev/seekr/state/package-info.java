/**
 * What changes while a run goes on: {@link Stateful} things are saved through a {@link StateWriter}
 * and loaded through a {@link StateReader}, so that a run that was stopped ends in the same bits.
 * {@link Seeds} are the random numbers, which are made anew in place of being saved.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.disk}, {@code dev.seekr.tensor}, {@code
 * dev.seekr.safetensors}.
 */
package dev.seekr.state;
