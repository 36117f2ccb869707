package dev.seekr.model;

import dev.seekr.distributed.Collectives;
import dev.seekr.distributed.Slice;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Gradients of all weights of which each process keeps its {@link Slice} of every block (ZeRO 2). A
 * layer is computed whole in one of two slots, and summed over all processes while the next one is
 * computed in the other; then the part is added to what earlier passes left.
 *
 * <pre>
 *   slot (all of a layer) -> (summed into parts by all processes) -> parts (added up)
 * </pre>
 */
public final class DividedGradients implements Parameters, WeightGradients {
  private final LlamaConfig config;
  private final Ops ops;
  private final Collectives all;
  private final Tensor wte, head, lnf;
  private final Slot[] slots = new Slot[2];
  private final List<List<Tensor>> layers = new ArrayList<>(); // parts of each layer's blocks
  private final List<Tensor> parts = new ArrayList<>(); // of all blocks, in their order
  private final Tensor flat;
  private boolean add; // to what earlier passes left
  private final Tensor wtePart, lnfPart, headPart;

  /** Room for a layer, and its blocks that are on their way into parts. */
  private final class Slot {
    final Tensor room;
    private final List<Runnable> arrivals = new ArrayList<>();

    Slot(Memory memory, String tag, long size) {
      room = ops.allocate(memory, tag, ops.wide(), size);
    }

    void arrive() {
      arrivals.forEach(Runnable::run);
      arrivals.clear();
    }
  }

  /** Zeros, where {@code ops} compute. */
  public DividedGradients(LlamaConfig config, Ops ops, Collectives all, Memory memory, String tag) {
    this.config = config;
    this.ops = ops;
    this.all = all;
    wte = ops.allocate(memory, tag, ops.wide(), config.V(), config.C());
    head = config.tied() ? wte : ops.allocate(memory, tag, ops.wide(), config.V(), config.C());
    lnf = ops.allocate(memory, tag, ops.wide(), config.C());
    var sizes = new ArrayList<List<Long>>();
    long largest = 0, total = part(wte.size()) + part(lnf.size()) + part(head.size());
    for (int l = 0; l < config.L(); l++) {
      var blocks = Weights.sizes(config, l);
      sizes.add(blocks);
      largest = Math.max(largest, blocks.stream().mapToLong(Blocks::align).sum());
      total += blocks.stream().mapToLong(this::part).sum();
    }
    for (int s = 0; s < slots.length; s++) slots[s] = new Slot(memory, tag, largest);
    flat = ops.allocate(memory, tag, ops.wide(), total);
    long at = 0;
    wtePart = next(at, wte.size());
    at += part(wte.size());
    for (var blocks : sizes) {
      var layer = new ArrayList<Tensor>();
      for (long size : blocks) {
        layer.add(next(at, size));
        at += part(size);
      }
      layers.add(layer);
    }
    lnfPart = next(at, lnf.size());
    at += part(lnf.size());
    headPart = config.tied() ? wtePart : next(at, head.size());
  }

  private Tensor next(long at, long size) {
    Tensor part = flat.view(at, Slice.of(size, all.rank(), all.ranks()).n());
    parts.add(part);
    return part;
  }

  private long part(long size) {
    return Blocks.align(Slice.of(size, all.rank(), all.ranks()).n());
  }

  /** This process's part of each block, in the order of {@link Weights#blocks}. */
  public List<Tensor> parts() {
    return parts;
  }

  /** Takes part in the sums of passes that this process does not have. */
  public void nothing(boolean add) {
    begin(ops, add);
    for (int l = config.L() - 1; l >= 0; l--) {
      layer(l);
      done(l);
    }
    done();
  }

  @Override
  public boolean begin(Ops ops, boolean add) {
    this.add = add;
    for (Slot slot : slots) slot.arrive();
    ops.zero(wte);
    if (head != wte) ops.zero(head);
    ops.zero(lnf);
    return false;
  }

  @Override
  public Weights.Layer layer(int l) {
    Slot slot = slots[l % slots.length];
    slot.arrive();
    ops.zero(slot.room);
    return Weights.layer(config, l, new Blocks(slot.room));
  }

  @Override
  public void done(int l) {
    Slot slot = slots[l % slots.length];
    var blocks = SharedGradients.tensors(Weights.layer(config, l, new Blocks(slot.room))).toList();
    for (int b = 0; b < blocks.size(); b++)
      slot.arrivals.add(sum(blocks.get(b), layers.get(l).get(b)));
  }

  @Override
  public void done() {
    var rest = new ArrayList<Runnable>();
    rest.add(sum(wte, wtePart));
    rest.add(sum(lnf, lnfPart));
    if (head != wte) rest.add(sum(head, headPart));
    for (Slot slot : slots) slot.arrive();
    rest.forEach(Runnable::run);
  }

  /** Begins to sum a block; what is returned puts this process's part where it belongs. */
  private Runnable sum(Tensor block, Tensor into) {
    Tensor vector = block.view(0, block.size());
    var there = all.summing(vector);
    boolean more = add;
    return () -> {
      there.run();
      Tensor part = Slice.of(vector.size(), all.rank(), all.ranks()).of(vector);
      if (part.size() == 0) return;
      if (more) ops.addScaled(into, part, 1);
      else into.copyFrom(part);
    };
  }

  /** All parts; gaps are zero. */
  @Override
  public Tensor flat() {
    return flat;
  }

  /** This process's parts. */
  @Override
  public List<Blocks.Block> blocks() {
    return parts.stream().map(part -> new Blocks.Block(part, Role.MATRIX)).toList();
  }

  @Override
  public Map<String, Tensor> byName() {
    var byName = new LinkedHashMap<String, Tensor>();
    for (int i = 0; i < parts.size(); i++)
      byName.put("block %d, this process's part".formatted(i), parts.get(i));
    return byName;
  }

  @Override
  public Weights like(Ops ops, DType dtype, Memory memory, String tag) {
    return new Weights(config, ops, dtype, memory, tag);
  }

  @Override
  public Tensor wte() {
    return wte;
  }

  @Override
  public Tensor head() {
    return head;
  }

  @Override
  public Tensor lnf() {
    return lnf;
  }
}
