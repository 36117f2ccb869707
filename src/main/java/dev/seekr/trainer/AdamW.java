package dev.seekr.trainer;

import dev.seekr.config.TrainSettings;
import dev.seekr.model.Parameters;
import dev.seekr.model.Weights;
import dev.seekr.ops.AdamWStep;
import dev.seekr.ops.Ops;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;

/**
 * AdamW in single precision (Loshchilov and Hutter 2019) with global-norm clipping. Norm weights do
 * not decay. Moments go on from task to task, as in the released code. Where the model reads
 * narrower weights, the ones that are stepped lie beside them, and each step rounds them anew.
 */
public final class AdamW implements Stateful {
  private final Ops ops;
  private final TrainSettings settings;
  private final Parameters read, w, m, v; // read: what the model reads, w itself or w rounded
  private long step;

  /** For the parameters {@code read} by a model; moments are zero. */
  public AdamW(Parameters read, Ops ops, TrainSettings settings, Memory memory) {
    this.ops = ops;
    this.settings = settings;
    this.read = read;
    boolean narrow = ops.dtype() != ops.wide();
    this.w = narrow ? read.like(ops, memory, "optimizer") : read;
    if (narrow) w.flat().copyFrom(read.flat());
    this.m = read.like(ops, memory, "optimizer");
    this.v = read.like(ops, memory, "optimizer");
  }

  /** The weights that are stepped, of {@link Ops#wide}. */
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
      float decay = block.role().decays() ? (float) settings.weightDecay() : 0f;
      ops.adamw(
          new AdamWStep(
              block.tensor(),
              m.blocks().get(i).tensor(),
              v.blocks().get(i).tensor(),
              g.blocks().get(i).tensor(),
              w == read ? null : read.blocks().get(i).tensor(),
              step,
              (float) lr,
              (float) settings.beta1(),
              (float) settings.beta2(),
              (float) settings.eps(),
              decay,
              scale));
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
