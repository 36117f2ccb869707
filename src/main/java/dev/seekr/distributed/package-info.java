/**
 * What several processes would do together, {@link Collectives}. One process does it alone so far;
 * the trainer and methods ask it all the same.
 *
 * <p>Imports: {@code dev.seekr.tensor}.
 */
package dev.seekr.distributed;
