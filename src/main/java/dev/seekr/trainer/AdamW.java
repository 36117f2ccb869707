package dev.seekr.trainer;

import dev.seekr.config.TrainSettings;
import dev.seekr.config.TrainSettings.State;
import dev.seekr.distributed.Collectives;
import dev.seekr.model.Parameters;
import dev.seekr.model.Weights;
import dev.seekr.ops.AdamWStep;
import dev.seekr.ops.Ops;
import dev.seekr.state.Seeds;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * AdamW in single precision (Loshchilov and Hutter 2019) with global-norm clipping. Norm weights do
 * not decay. Moments go on from task to task, as in the released code. What it holds of all weights
 * is as {@code train.state} says:
 *
 * <pre>
 *   f32    m, v and w in f32; where the model reads narrower weights, these are w rounded
 *   bf16   m and v in bf16; w is what the model reads; what is stored as bf16 is rounded at random
 *   host   m, v and w in f32 on the host, which steps them; the model is sent w, rounded
 * </pre>
 *
 * Of adapters and soft prompts it is always f32.
 */
public final class AdamW implements Stateful {
  private final TrainSettings settings;
  private final Ops ops; // of m, v, w and gradients
  private final Collectives all;
  private final Shard shard; // of what is stepped here
  private final Parameters read; // what the model reads
  private final Parameters whole; // what is stepped, where all of it is here; else what is read
  private final Shard.Pieces w, m, v; // w: of what is read, or in full precision beside it
  private final boolean beside;
  private final Sending sending; // null: what the model reads lies where it is stepped
  private long step;

  /** For the parameters {@code read} by a model, in one process; moments are zero. */
  public AdamW(Parameters read, Ops ops, TrainSettings settings, Memory memory) {
    this(read, ops, settings, memory, Collectives.ALONE, false);
  }

  /**
   * The same in one of several.
   *
   * @param divided whether each holds and steps its part alone, and tells the others
   */
  AdamW(
      Parameters read,
      Ops ops,
      TrainSettings settings,
      Memory memory,
      Collectives all,
      boolean divided) {
    this.settings = settings;
    this.all = all;
    this.read = read;
    this.shard = Shard.of(read, all, divided);
    State state = state(read, settings);
    this.ops = state == State.host ? ops.host() : ops;
    this.beside = state == State.host || state == State.f32 && ops.dtype() != ops.wide();
    this.whole = beside && !divided ? read.like(this.ops, memory, "optimizer") : read;
    if (whole != read) whole.flat().copyFrom(read.flat());
    this.w = stepped(memory);
    DType moments = state == State.bf16 ? DType.BF16 : ops.wide();
    this.m = shard.allocate(this.ops, moments, memory, "optimizer");
    this.v = shard.allocate(this.ops, moments, memory, "optimizer");
    this.sending = state == State.host ? new Sending(ops, memory) : null;
  }

  private Shard.Pieces stepped(Memory memory) {
    if (beside && shard.divided()) {
      var own = shard.allocate(ops, ops.wide(), memory, "optimizer");
      for (int i = 0; i < own.tensors().size(); i++) own.tensors().get(i).copyFrom(ofRead(i));
      return own;
    }
    var pieces = new ArrayList<Tensor>();
    for (int i = 0; i < whole.blocks().size(); i++)
      pieces.add(shard.of(i, whole.blocks().get(i).tensor()));
    return new Shard.Pieces(beside ? whole.flat() : null, pieces);
  }

  /** What is stepped here of a block that the model reads. */
  private Tensor ofRead(int i) {
    return shard.of(i, read.blocks().get(i).tensor());
  }

  /** How an optimizer of these parameters holds what it needs. */
  static State state(Parameters of, TrainSettings settings) {
    return of instanceof Weights ? settings.state() : State.f32;
  }

  /**
   * The weights that are stepped: of {@link Ops#wide}, or those that the model reads; the latter
   * too where each process has a part of the former.
   */
  public Parameters weights() {
    return whole;
  }

  /**
   * Takes over what a method has set anew in the adapters or prompts that the model reads; what is
   * still as the last step rounded it keeps its full precision. All weights are never set anew.
   */
  void takeOver() {
    if (!beside || read instanceof Weights) return;
    float[] full = whole.flat().toFloats(), now = read.flat().toFloats();
    for (int i = 0; i < full.length; i++)
      if (DType.fromBf16(DType.toBf16(full[i])) != now[i]) full[i] = now[i];
    whole.flat().copyFrom(full);
  }

  /**
   * One step from the gradients g, scaled so that their global norm is at most the clip.
   *
   * @param g of each block, as much as is stepped here
   * @param norm of all of g, finite
   */
  public void step(List<Tensor> g, double norm, double lr) {
    double clip = settings.clip();
    float scale = clip > 0 && norm > clip ? (float) (clip / norm) : 1f;
    step++;
    for (int i = 0; i < g.size(); i++) {
      var block = read.blocks().get(i);
      if (g.get(i).size() > 0) {
        var part =
            new Part(
                w.tensors().get(i),
                m.tensors().get(i),
                v.tensors().get(i),
                g.get(i),
                beside ? ofRead(i) : null);
        var draws = draws(i);
        float decay = block.role().decays() ? (float) settings.weightDecay() : 0f;
        var how = new How(draws.nextLong(), (float) lr, decay, scale);
        if (sending == null) step(part, how);
        else sending.step(part, rounded -> step(rounded, how));
      }
      if (shard.divided()) all.gatherParts(flat(block.tensor()));
    }
    if (sending != null) sending.finish();
  }

  /** The same from the gradient of everything, of which it takes what is stepped here. */
  public void step(Parameters g, double norm, double lr) {
    step(parts(g), norm, lr);
  }

  /** Of each block of a gradient, as much as is stepped here. */
  List<Tensor> parts(Parameters g) {
    var parts = new ArrayList<Tensor>();
    for (int i = 0; i < g.blocks().size(); i++) parts.add(shard.of(i, g.blocks().get(i).tensor()));
    return parts;
  }

  /** Every part of a block is rounded by draws of its own. */
  private SplittableRandom draws(int block) {
    long from = shard.part(block).from();
    return from == 0
        ? Seeds.of(settings.seed(), Seeds.Purpose.ROUNDING, step, block)
        : Seeds.of(settings.seed(), Seeds.Purpose.ROUNDING, step, block, from);
  }

  private static Tensor flat(Tensor block) {
    return block.view(0, block.size());
  }

  /** What is the same for all of a block. */
  private record How(long key, float lr, float decay, float scale) {}

  private void step(Part p, How how) {
    ops.adamw(
        new AdamWStep(
            p.w(),
            p.m(),
            p.v(),
            p.g(),
            p.read(),
            step,
            how.key,
            how.lr,
            (float) settings.beta1(),
            (float) settings.beta2(),
            (float) settings.eps(),
            how.decay,
            how.scale));
  }

  /**
   * A block, or elements of one.
   *
   * @param read where the new w goes besides, rounded; null: nowhere
   */
  record Part(Tensor w, Tensor m, Tensor v, Tensor g, Tensor read) {
    /** Elements [from, from + n); the new w goes to {@code rounded}. */
    Part of(long from, long n, Tensor rounded) {
      return new Part(w.view(from, n), m.view(from, n), v.view(from, n), g.view(from, n), rounded);
    }
  }

  /** Moments, and the weights that are stepped where the model does not read those. */
  @Override
  public void save(StateWriter to) {
    to.put("step", step);
    var own = shard.save(to);
    own.tensor("m", m.flat());
    own.tensor("v", v.flat());
    if (beside) own.tensor("w", w.flat());
  }

  @Override
  public void load(StateReader from) {
    step = from.whole("step", 0, Long.MAX_VALUE);
    shard.load(from, "m", m);
    shard.load(from, "v", v);
    if (beside) shard.load(from, "w", w);
  }
}
