package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is trained of soft prompts: rows [R,C] of the {@linkplain Adapters#prompts table in use},
 * and whatever a method learns besides (keys, or a network the rows come from). A backward pass
 * adds dL/d(table row first + r) to {@code rows[r]}; the rest is the method's to fill.
 */
public final class PromptParameters implements Parameters {
  /** The row of the table that the first of {@link #rows} is. */
  public final int first;

  private final long[][] shapes;
  private final Blocks blocks;

  /**
   * Zeros; {@code shapes}: that of the rows [R,C], then those of what else is trained. Vectors do
   * not decay.
   */
  public PromptParameters(Ops ops, Memory memory, String tag, int first, long[]... shapes) {
    this(ops, ops.dtype(), memory, tag, first, shapes);
  }

  private PromptParameters(
      Ops ops, DType dtype, Memory memory, String tag, int first, long[]... shapes) {
    this.first = first;
    this.shapes = shapes;
    long size = 0;
    for (long[] shape : shapes) size += Blocks.align(Tensor.size(shape));
    blocks = new Blocks(ops.allocate(memory, tag, dtype, size));
    for (long[] shape : shapes) blocks.next(shape.length == 1 ? Role.BIAS : Role.MATRIX, shape);
  }

  public Tensor rows() {
    return blocks.all().getFirst().tensor();
  }

  /** The i-th block after the rows. */
  public Tensor more(int i) {
    return blocks.all().get(1 + i).tensor();
  }

  @Override
  public Tensor flat() {
    return blocks.flat();
  }

  @Override
  public List<Blocks.Block> blocks() {
    return blocks.all();
  }

  @Override
  public Map<String, Tensor> byName() {
    var byName = new LinkedHashMap<String, Tensor>();
    for (var block : blocks.all())
      byName.put("prompts" + (byName.isEmpty() ? "" : "." + byName.size()), block.tensor());
    return byName;
  }

  @Override
  public PromptParameters like(Ops ops, Memory memory, String tag) {
    return like(ops, ops.wide(), memory, tag);
  }

  @Override
  public PromptParameters like(Ops ops, DType dtype, Memory memory, String tag) {
    return new PromptParameters(ops, dtype, memory, tag, first, shapes);
  }
}
