package dev.seekr.trainer;

import dev.seekr.config.TrainSettings;
import dev.seekr.config.TrainSettings.State;
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
  private final Parameters read, w, m, v; // read: what the model reads, w itself or w rounded
  private final Sending sending; // null: what the model reads lies where it is stepped
  private long step;

  /** For the parameters {@code read} by a model; moments are zero. */
  public AdamW(Parameters read, Ops ops, TrainSettings settings, Memory memory) {
    this.settings = settings;
    this.read = read;
    State state = state(read, settings);
    this.ops = state == State.host ? ops.host() : ops;
    boolean beside = state == State.host || state == State.f32 && ops.dtype() != ops.wide();
    this.w = beside ? read.like(this.ops, memory, "optimizer") : read;
    if (beside) w.flat().copyFrom(read.flat());
    DType moments = state == State.bf16 ? DType.BF16 : ops.wide();
    this.m = read.like(this.ops, moments, memory, "optimizer");
    this.v = read.like(this.ops, moments, memory, "optimizer");
    this.sending = state == State.host ? new Sending(ops, memory) : null;
  }

  /** How an optimizer of these parameters holds what it needs. */
  static State state(Parameters of, TrainSettings settings) {
    return of instanceof Weights ? settings.state() : State.f32;
  }

  /** The weights that are stepped: of {@link Ops#wide}, or those that the model reads. */
  public Parameters weights() {
    return w;
  }

  /**
   * Takes over what a method has set anew in the adapters or prompts that the model reads; what is
   * still as the last step rounded it keeps its full precision. All weights are never set anew.
   */
  void takeOver() {
    if (w == read || read instanceof Weights) return;
    float[] full = w.flat().toFloats(), now = read.flat().toFloats();
    for (int i = 0; i < full.length; i++)
      if (DType.fromBf16(DType.toBf16(full[i])) != now[i]) full[i] = now[i];
    w.flat().copyFrom(full);
  }

  /**
   * One step from the gradients g, scaled so that their global norm is at most the clip.
   *
   * @param norm of g, finite
   */
  public void step(Parameters g, double norm, double lr) {
    double clip = settings.clip();
    float scale = clip > 0 && norm > clip ? (float) (clip / norm) : 1f;
    step++;
    for (int i = 0; i < w.blocks().size(); i++) {
      var block = w.blocks().get(i);
      var part =
          new Part(
              block.tensor(),
              m.blocks().get(i).tensor(),
              v.blocks().get(i).tensor(),
              g.blocks().get(i).tensor(),
              w == read ? null : read.blocks().get(i).tensor());
      var draws = Seeds.of(settings.seed(), Seeds.Purpose.ROUNDING, step, i);
      float decay = block.role().decays() ? (float) settings.weightDecay() : 0f;
      var how = new How(draws.nextLong(), (float) lr, decay, scale);
      if (sending == null) step(part, how);
      else sending.step(part, rounded -> step(rounded, how));
    }
    if (sending != null) sending.finish();
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
    to.tensor("m", m.flat());
    to.tensor("v", v.flat());
    if (w != read) to.tensor("w", w.flat());
  }

  @Override
  public void load(StateReader from) {
    step = from.whole("step", 0, Long.MAX_VALUE);
    from.tensor("m", m.flat());
    from.tensor("v", v.flat());
    if (w != read) from.tensor("w", w.flat());
  }
}
