package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.List;
import java.util.stream.Stream;

/**
 * What takes part in a pass beside the weights; it stays its maker's.
 *
 * @param frozen low-rank adapters that are not trained any more
 * @param lora the ones that are; null: none
 * @param dropout of what the trained adapters read; frozen ones drop nothing
 * @param prompts [R,C] table of soft prompts: token id -1 - r stands for row r; null: none
 */
public record Adapters(List<Lora> frozen, Lora lora, Dropout dropout, Tensor prompts) {
  public static final Adapters NONE = new Adapters(List.of(), null, null);

  /** Adapters that drop nothing; {@code lora} or {@code prompts} [R,C] null: none. */
  public Adapters(List<Lora> frozen, Lora lora, Tensor prompts) {
    this(frozen, lora, Dropout.NONE, prompts);
  }

  /** Low-rank adapters alone. */
  public static Adapters of(Lora lora) {
    return new Adapters(List.of(), lora, null);
  }

  /** Soft prompts [R,C] alone; null: none. */
  public static Adapters of(Tensor prompts) {
    return new Adapters(List.of(), null, prompts);
  }

  Adapters with(Dropout other) {
    return new Adapters(frozen, lora, other, prompts);
  }

  /** All low-rank adapters. */
  List<Lora> low() {
    return Stream.concat(frozen.stream(), Stream.ofNullable(lora)).toList();
  }

  /**
   * The weight {@code w} called {@code name} with all low-rank adapters merged: itself where there
   * is none, else the sum in {@link Ops#wide}, in {@code memory}.
   */
  Tensor merged(String name, Tensor w, Ops ops, Memory memory) {
    Tensor sum = w;
    for (Lora each : low()) {
      if (!each.adapts(name)) continue;
      if (sum == w) {
        sum = ops.allocate(memory, "merged weight", ops.wide(), w.shape());
        sum.copyFrom(w);
      }
      each.merge(name, sum);
    }
    return sum;
  }
}
