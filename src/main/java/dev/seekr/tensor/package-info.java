/**
 * Where numbers lie: a {@link Tensor} is a shape over memory that it does not own, {@link Memory}
 * an arena with a named lifetime, a {@link Place} the host, a device, or nowhere. Nothing is
 * computed here.
 *
 * <p>Imports: nothing of Seekr.
 */
package dev.seekr.tensor;
