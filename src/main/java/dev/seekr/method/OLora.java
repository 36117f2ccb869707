package dev.seekr.method;

import dev.seekr.config.OLoraSettings;
import dev.seekr.model.Lora;
import dev.seekr.ops.Ops;
import dev.seekr.ops.Product;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * O-LoRA (Wang et al. 2023): one adapter a task, its input directions kept orthogonal to those of
 * all earlier tasks,
 *
 * <pre>
 *   L = L_task + lambda sum_{i&lt;t} ||A_i A_t^T||_F^2        dA_t += 2 lambda sum_i (A_t A_i^T) A_i
 *   or           lambda sum_{i&lt;t} sum |A_i A_t^T|          dA_t += lambda sum_i sign(A_t A_i^T) A_i
 * </pre>
 *
 * summed over all adapted projections; A_i [r,in] as they were when task i was finished.
 */
public final class OLora implements Method {
  private final Setup setup;
  private final Ops ops;
  private final double lambda;
  private final OLoraSettings.Form form;
  private final Memory memory = new Memory("earlier adapters");
  private final List<List<Tensor>> earlier =
      new ArrayList<>(); // A of each projection, task by task

  public OLora(Setup setup) {
    this.setup = setup;
    ops = setup.ops();
    var settings = setup.config().method().olora();
    form = settings.form();
    lambda = settings.lambda() != null ? settings.lambda() : usual(form, setup.model().config.C());
  }

  /**
   * The released code's 0.5 of the sum without sign. Rows of two adapters that begin overlap by
   * 1/(3 sqrt(C)), so that the gradient of squares is 1.5 sqrt(C) times weaker; it is made as
   * strong.
   */
  private static double usual(OLoraSettings.Form form, int C) {
    double released = 0.5;
    return form == OLoraSettings.Form.abs ? released : released * 1.5 * Math.sqrt(C);
  }

  @Override
  public Setup setup() {
    return setup;
  }

  @Override
  public void end(Context context) {
    var downs = ((Lora) trained()).downs().stream().map(a -> copy(a, a.shape())).toList();
    Method.super.end(context);
    earlier.add(downs);
  }

  private Tensor copy(Tensor a, long[] shape) {
    Tensor copy = ops.allocate(memory, "earlier adapters", shape);
    copy.copyFrom(a);
    return copy;
  }

  /** Logged as "orthogonality": the sum of squares, 0 where all are orthogonal. */
  @Override
  public void addTo(Gradients step) {
    if (lambda == 0 || earlier.isEmpty()) return;
    List<Tensor> now = ((Lora) trained()).downs(), g = ((Lora) step.g()).downs();
    double sum = 0;
    for (List<Tensor> task : earlier) {
      for (int i = 0; i < now.size(); i++)
        sum +=
            form == OLoraSettings.Form.square
                ? overlap(g.get(i), now.get(i), task.get(i))
                : overlapWithoutSign(g.get(i), now.get(i), task.get(i));
    }
    step.losses().add("orthogonality", sum, 1, lambda);
  }

  /** sum |A_i A_t^T|; its gradient, weighted, is added to g. The overlap is r by r numbers. */
  private double overlapWithoutSign(Tensor g, Tensor now, Tensor before) {
    try (var step = new Memory("overlap")) {
      Tensor dots = ops.allocate(step, "overlap", ops.wide(), now.dim(0), before.dim(0));
      ops.linearForward(dots, now, before, false);
      double[] values = dots.toDoubles();
      float[] signs = new float[values.length];
      for (int i = 0; i < signs.length; i++) signs[i] = (float) Math.signum(values[i]);
      Tensor factor = ops.allocate(step, "overlap", dots.shape());
      factor.copyFrom(signs);
      ops.matmul(new Product(g, factor, before, false, false, (float) lambda, true));
      return Arrays.stream(values).map(Math::abs).sum();
    }
  }

  /** ||A_i A_t^T||_F^2; its gradient, weighted, is added to g. */
  private double overlap(Tensor g, Tensor now, Tensor before) {
    try (var step = new Memory("overlap")) {
      Tensor dots = ops.allocate(step, "overlap", ops.wide(), now.dim(0), before.dim(0));
      ops.linearForward(dots, now, before, false);
      Tensor factor = dots;
      if (ops.dtype() != ops.wide()) { // what products multiply is of E
        factor = ops.allocate(step, "overlap", dots.shape());
        ops.linearForward(factor, now, before, false);
      }
      ops.matmul(new Product(g, factor, before, false, false, (float) (2 * lambda), true));
      return ops.sumSquares(dots);
    }
  }

  @Override
  public Map<String, Object> used(Context context) {
    var used = new LinkedHashMap<String, Object>();
    used.put("form", form.name());
    used.put("lambda", lambda);
    used.put("adapters", earlier.size());
    return used;
  }

  @Override
  public void save(StateWriter to) {
    to.seldomChanges();
    to.put("earlier", earlier.size());
    for (int task = 0; task < earlier.size(); task++) {
      for (int i = 0; i < earlier.get(task).size(); i++)
        to.tensor(name(task, i), earlier.get(task).get(i));
    }
  }

  @Override
  public void load(StateReader from) {
    long tasks = from.whole("earlier", 0, Integer.MAX_VALUE);
    var shape = LowRank.shape(setup.config().method().lora());
    List<long[]> shapes = Lora.downs(setup.model().config, shape);
    for (int task = 0; task < tasks; task++) {
      var downs = new ArrayList<Tensor>();
      for (int i = 0; i < shapes.size(); i++) {
        Tensor a = ops.allocate(memory, "earlier adapters", shapes.get(i));
        from.tensor(name(task, i), a);
        downs.add(a);
      }
      earlier.add(downs);
    }
  }

  private static String name(int task, int i) {
    return "earlier.%d.%d".formatted(task, i);
  }

  @Override
  public void close() {
    Method.super.close();
    memory.close();
    earlier.clear();
  }
}
