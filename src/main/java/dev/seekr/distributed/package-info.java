/**
 * What the processes of a run do together: {@link Collectives}, which are {@link Collectives#ALONE}
 * for one and {@link WireCollectives} for several. These speak by a {@link Wire}, such as {@link
 * Mpi}, and have tensors summed by a {@link TensorWire}; {@link Launch} finds out which process
 * this is.
 *
 * <p>Imports: {@code dev.seekr}, {@code dev.seekr.tensor}.
 */
package dev.seekr.distributed;
