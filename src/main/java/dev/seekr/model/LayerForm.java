package dev.seekr.model;

/**
 * What a layer of a family does beside what all do: norms stand before attention and before the
 * feed-forward, projections have no bias, queries and keys are rotated, and every query sees all
 * keys before it.
 *
 * @param qkvBias queries, keys and values have a bias
 * @param qkNorm each head's queries and keys are RMS-normalised before they are rotated
 * @param rope whether they are rotated
 * @param window how many keys a query sees, itself counted; 0: all
 */
public record LayerForm(boolean qkvBias, boolean qkNorm, boolean rope, int window) {
  public static final LayerForm LLAMA = new LayerForm(false, false, true, 0);
}
