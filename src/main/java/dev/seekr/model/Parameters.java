package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.List;
import java.util.Map;

/**
 * A set of trainable tensors: all weights of a model, or adapters or soft prompts beside frozen
 * ones.
 */
public sealed interface Parameters
    permits Weights, StreamedGradients, SharedGradients, DividedGradients, Lora, PromptParameters {
  /**
   * Everything, as one vector; gaps between blocks are zero.
   *
   * @throws IllegalStateException where {@link #vectors} are two
   */
  Tensor flat();

  /** Everything, in one vector, or one of each type that blocks are of. */
  default List<Tensor> vectors() {
    return List.of(flat());
  }

  /** The separately allocated parameters. */
  List<Blocks.Block> blocks();

  /** Every tensor by its name, as messages and files have it: blocks, or parts of them. */
  Map<String, Tensor> byName();

  /** Zeros of the same shapes and of any floating type, that {@code ops} computes with. */
  Parameters like(Ops ops, DType dtype, Memory memory, String tag);

  /**
   * Zeros of the same shapes, of {@link Ops#wide}: gradients, moments, or a copy that an optimizer
   * keeps beside {@code this}.
   */
  default Parameters like(Ops ops, Memory memory, String tag) {
    return like(ops, ops.wide(), memory, tag);
  }
}
