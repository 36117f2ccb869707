package dev.seekr.model;

import dev.seekr.tensor.Tensor;

/**
 * What takes part in a pass beside the weights; it stays its maker's.
 *
 * @param lora low-rank adapters; null: none
 * @param prompts [R,C] table of soft prompts: token id -1 - r stands for row r; null: none
 */
public record Adapters(Lora lora, Tensor prompts) {
  public static final Adapters NONE = new Adapters(null, null);
}
