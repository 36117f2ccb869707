/**
 * What every layer may use: {@link Failure}, which a user can act on, and {@link Stop}, the wish
 * that a run should end. All other packages are layers above this one, in the order of the data's
 * way: settings and files, tensors and operations, data, model, methods, training, runs, commands.
 *
 * <p>Imports: nothing of Seekr.
 */
package dev.seekr;
