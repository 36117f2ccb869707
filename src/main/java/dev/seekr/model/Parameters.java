package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.List;
import java.util.Map;

/**
 * A set of trainable tensors: all weights of a model, or adapters or soft prompts beside frozen
 * ones.
 */
public sealed interface Parameters permits Weights, Lora, PromptParameters {
  /** Everything, as one vector; gaps between blocks are zero. */
  Tensor flat();

  /** The separately allocated parameters. */
  List<Blocks.Block> blocks();

  /** Every tensor by its name, as messages and files have it: blocks, or parts of them. */
  Map<String, Tensor> byName();

  /**
   * Zeros of the same shapes, of {@link Ops#wide}: gradients, moments, or a copy that an optimizer
   * keeps beside {@code this}.
   */
  Parameters like(Ops ops, Memory memory, String tag);
}
