package dev.seekr.trainer;

import dev.seekr.config.RunConfig;
import dev.seekr.model.Parameters;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;

/**
 * AdamW in single precision (Loshchilov and Hutter 2019) with global-norm clipping. Norm weights do
 * not decay. Moments go on from task to task, as in the released code.
 */
public final class AdamW {
  private final Ops ops;
  private final RunConfig.Train settings;
  private final Parameters w, m, v;
  private long step;

  /** Moments in the shape of {@code w}, all zero. */
  public AdamW(Parameters w, Ops ops, RunConfig.Train settings, Memory memory) {
    this.ops = ops;
    this.settings = settings;
    this.w = w;
    this.m = w.like(ops, memory, "optimizer");
    this.v = w.like(ops, memory, "optimizer");
  }

  /**
   * One step from the gradients g, scaled so that their global norm is at most the clip.
   *
   * @param squares sum of squares of g
   * @return the norm before clipping; when it is not finite, nothing has been changed
   */
  public double step(Parameters g, double squares, double lr) {
    double norm = Math.sqrt(squares);
    if (!Double.isFinite(norm)) return norm;
    double clip = settings.clip();
    float scale = clip > 0 && norm > clip ? (float) (clip / norm) : 1f;
    step++;
    for (int i = 0; i < w.blocks().size(); i++) {
      Tensor block = w.blocks().get(i);
      float decay = block.shape().length > 1 ? (float) settings.weightDecay() : 0f;
      ops.adamw(
          block,
          m.blocks().get(i),
          v.blocks().get(i),
          g.blocks().get(i),
          null,
          (float) lr,
          (float) settings.beta1(),
          (float) settings.beta2(),
          (float) settings.eps(),
          decay,
          scale,
          step);
    }
    return norm;
  }
}
