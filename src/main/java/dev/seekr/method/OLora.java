package dev.seekr.method;

import dev.seekr.config.RunConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Lora;
import dev.seekr.model.Parameters;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * O-LoRA (Wang et al. 2023): one adapter a task, its input directions kept orthogonal to those of
 * all earlier tasks,
 *
 * <pre>
 *   L = L_task + lambda sum_{i&lt;t} ||A_i A_t^T||_F^2        dA_t += 2 lambda sum_i (A_t A_i^T) A_i
 * </pre>
 *
 * summed over all adapted projections; A_i [r,in] as they were when task i was finished.
 */
public final class OLora extends LowRank {
  private final double lambda;
  private final Memory memory = new Memory("earlier adapters");
  private final List<List<Tensor>> earlier =
      new ArrayList<>(); // A of each projection, task by task

  public OLora(RunConfig config, int layers, Ops ops) {
    super(config, layers, ops);
    lambda = config.method().olora().lambda();
  }

  @Override
  public void end(Context context) {
    super.end(context);
    var kept = new ArrayList<Tensor>();
    for (Tensor a : adapters.downs()) {
      Tensor copy = ops.allocate(memory, "earlier adapters", a.shape());
      copy.copyFrom(a);
      kept.add(copy);
    }
    earlier.add(kept);
  }

  /** Logged as "orthogonality": the sum of squares, 0 where all are orthogonal. */
  @Override
  public double regularize(LlamaModel model, Parameters w, Parameters grads, Losses losses) {
    if (lambda == 0 || earlier.isEmpty()) return super.regularize(model, w, grads, losses);
    List<Tensor> now = adapters.downs(), g = ((Lora) grads).downs();
    double sum = 0;
    for (List<Tensor> task : earlier) {
      for (int i = 0; i < now.size(); i++) sum += overlap(g.get(i), now.get(i), task.get(i));
    }
    losses.add("orthogonality", sum, 1, lambda * sum);
    return super.regularize(model, w, grads, losses);
  }

  /** ||A_i A_t^T||_F^2; its gradient, weighted, is added to g. */
  private double overlap(Tensor g, Tensor now, Tensor before) {
    try (var step = new Memory("overlap")) {
      Tensor dots = ops.allocate(step, "overlap", ops.wide(), now.dim(0), before.dim(0));
      ops.linearForward(dots, now, before, false);
      double sum = ops.sumSquares(dots);
      float[] pull = dots.toFloats();
      for (int i = 0; i < pull.length; i++) pull[i] = (float) (2 * lambda * pull[i]);
      Tensor weighted = ops.allocate(step, "overlap", dots.shape());
      weighted.copyFrom(pull);
      ops.matmul(g, weighted, before, false, false, true);
      return sum;
    }
  }

  @Override
  public void close() {
    super.close();
    memory.close();
    earlier.clear();
  }
}
