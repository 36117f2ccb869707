/**
 * What several processes would do together, {@link Collectives}. One process does it alone so far;
 * the trainer and methods ask it all the same. {@link Launch} finds out who this process is, {@link
 * Mpi} connects it with the others.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.tensor}.
 */
package dev.seekr.distributed;
