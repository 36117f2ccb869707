package dev.seekr.model;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.List;
import java.util.Map;

/**
 * Gradients of all weights that lie beside the device, on the host, and of which the device holds
 * those of two layers: while one is computed the one before leaves. Embedding, output layer and
 * final norm have room of their own, and leave when the pass ends.
 *
 * <pre>
 *   device slot -> (copied as soon as it is computed) -> pinned slot -> (added by the host) -> sums
 * </pre>
 */
public final class StreamedGradients implements Parameters, WeightGradients {
  private final Ops ops, host;
  private final Weights sums;
  private final Tensor wte, head, lnf; // on the device
  private final Slot[] slots = new Slot[2];

  /** Room for a layer on the device and beside it, and what of the sums is on its way there. */
  private final class Slot {
    final Tensor device, beside;
    private long start, n; // of the sums
    private Runnable arrival; // null: nothing is on its way

    Slot(Memory memory, String tag, long size) {
      device = ops.allocate(memory, tag, ops.wide(), size);
      beside = memory.beside(ops.place(), tag, ops.wide(), size);
    }

    /** Begins to copy n computed elements of the device, which belong to the sums from start on. */
    void leave(Tensor from, long start, long n) {
      this.start = start;
      this.n = n;
      arrival = ops.place().leave(beside.view(0, n).data(), from.data());
    }

    /** What was on its way has arrived, and been added where it is wanted. */
    void arrive(boolean wanted) {
      if (arrival == null) return;
      arrival.run();
      arrival = null;
      if (wanted) host.addScaled(sums.flat().view(start, n), beside.view(0, n), 1);
    }
  }

  /** Zeros, beside the device of {@code ops}. */
  public StreamedGradients(LlamaConfig config, Ops ops, Memory memory, String tag) {
    this.ops = ops;
    this.host = ops.host();
    sums = new Weights(config, host, host.wide(), memory, tag);
    wte = ops.allocate(memory, tag, ops.wide(), sums.wte.shape());
    head = config.tied() ? wte : ops.allocate(memory, tag, ops.wide(), sums.head.shape());
    lnf = ops.allocate(memory, tag, ops.wide(), sums.lnf.shape());
    long largest = 0;
    for (int l = 0; l < config.L(); l++) largest = Math.max(largest, size(l));
    for (int s = 0; s < slots.length; s++) slots[s] = new Slot(memory, tag, largest);
  }

  private long size(int l) {
    return sums.start(l + 1) - sums.start(l);
  }

  private Slot slot(int l) {
    return slots[l % slots.length];
  }

  @Override
  public boolean begin(Ops ops, boolean add) {
    for (Slot slot : slots) slot.arrive(false); // of a pass that was given up
    if (!add) host.zero(sums.flat());
    ops.zero(wte);
    ops.zero(lnf);
    return false;
  }

  @Override
  public Weights.Layer layer(int l) {
    Slot slot = slot(l);
    slot.arrive(true);
    ops.zero(slot.device.view(0, size(l)));
    return Weights.layer(sums.config, l, new Blocks(slot.device));
  }

  @Override
  public void done(int l) {
    slot(l).leave(slot(l).device.view(0, size(l)), sums.start(l), size(l));
  }

  @Override
  public void done() {
    leave(wte, 0);
    leave(lnf, sums.start(sums.config.L()));
    if (head != wte) leave(head, sums.flat().size() - Blocks.align(head.size()));
    for (Slot slot : slots) slot.arrive(true);
  }

  /** In pieces that a slot has room for; {@code start}: where it belongs among the sums. */
  private void leave(Tensor tensor, long start) {
    Tensor all = tensor.view(0, tensor.size());
    long room = slots[0].beside.size();
    for (long i = 0, piece = 0; i < all.size(); i += room, piece++) {
      Slot slot = slot((int) piece);
      slot.arrive(true);
      long n = Math.min(room, all.size() - i);
      slot.leave(all.view(i, n), start + i, n);
    }
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

  /** On the host, as all that follows. */
  @Override
  public Tensor flat() {
    return sums.flat();
  }

  @Override
  public List<Blocks.Block> blocks() {
    return sums.blocks();
  }

  @Override
  public Map<String, Tensor> byName() {
    return sums.byName();
  }

  @Override
  public Weights like(Ops ops, DType dtype, Memory memory, String tag) {
    return sums.like(ops, dtype, memory, tag);
  }
}
