package dev.seekr.method;

import dev.seekr.model.Parameters;

/**
 * The gradient of a step when all its passes have been summed, over processes too.
 *
 * @param w what is trained, as the optimizer holds it
 * @param g its gradient; both of {@link dev.seekr.ops.Ops#wide}
 * @param losses where a loss that is added is booked
 */
public record Gradients(Parameters w, Parameters g, Step step, Losses losses) {}
