package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.OutputLoss;
import dev.seekr.model.Parameters;
import dev.seekr.model.TinyModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EwcTest {
  /** Of central differences in double: exact for squares, but for 1e-16 of a sum over the step. */
  private static final double DIFFERENCES = 1e-8;

  /** Largest relative error of a rounding. */
  private static final double BF16 = 0x1p-8;

  @TempDir Path folder;

  private static Tensor tensor(Memory memory, DType dtype, double... values) {
    Tensor t = memory.allocate("test", dtype, values.length);
    for (int i = 0; i < values.length; i++) t.set(i, values[i]);
    return t;
  }

  @Test
  void twoParametersByHand() {
    for (Ops ops : List.of(new ReferenceOps(DType.F32), TinyModel.cpu())) {
      try (ops;
          var memory = new Memory("test")) {
        Tensor f = tensor(memory, DType.F32, 1, 2), g = tensor(memory, DType.F32, 3, -4);
        ops.addSquares(f, g, 0.5f);
        assertThat(f.toDoubles()).containsExactly(1 + 0.5 * 9, 2 + 0.5 * 16);

        // lambda 4: pulls 4 * 2 * (1 - 0.5) = 4 and 4 * 0.25 * (-2 - 1) = -3
        double penalty =
            ops.anchor(
                g,
                tensor(memory, DType.F32, 1, -2),
                tensor(memory, DType.F32, 2, 0.25),
                tensor(memory, DType.F32, 0.5, 1),
                4);
        assertThat(g.toDoubles()).containsExactly(3 + 4, -4 - 3);
        assertThat(penalty).isEqualTo(2 * (2 * 0.25 + 0.25 * 9));
      }
    }
  }

  /** Squares of the gradient of each sample's own mean loss, [samples][weights]. */
  static double[][] squares(Weights weights, List<Sample> samples) {
    double[][] squares = new double[samples.size()][];
    try (Ops ops = new ReferenceOps(DType.F64);
        var memory = new Memory("test")) {
      var copy = new Weights(TwoTasks.SHAPE, ops, memory, "weights");
      copy.copyFrom(weights);
      try (var model = new LlamaModel(TwoTasks.SHAPE, copy, ops, Recompute.none)) {
        for (int s = 0; s < squares.length; s++) {
          var g = new Weights(TwoTasks.SHAPE, ops, memory, "gradients");
          var pass = model.forward(Batch.of(samples.get(s)));
          pass.backward(
              OutputLoss.labels(Batch.of(samples.get(s)), 1.0 / samples.get(s).targets()),
              AttentionTap.NONE,
              g,
              true);
          squares[s] = g.flat().toDoubles();
          for (int i = 0; i < squares[s].length; i++) squares[s][i] *= squares[s][i];
        }
      }
    }
    return squares;
  }

  static double[] mean(double[][] x) {
    double[] mean = new double[x[0].length];
    for (double[] row : x) for (int i = 0; i < mean.length; i++) mean[i] += row[i] / x.length;
    return mean;
  }

  private static void assertFisher(Parameters actual, double[] expected, int roundings) {
    double most = 0;
    for (double e : expected) most = Math.max(most, e);
    for (int i = 0; i < expected.length; i++)
      assertThat(actual.flat().get(i))
          .isCloseTo(expected[i], within(roundings * BF16 * expected[i] + 1e-6 * most));
    assertThat(most).isPositive();
  }

  @Test
  void fisherIsTheMeanOfSquaresAndEarlierOnesFade() {
    try (Ops ops = TinyModel.cpu();
        var run = new TwoTasks(folder, ops, 1e-3, "method.name=ewc", "method.ewc.gamma=0.25")) {
      var ewc = (Ewc) run.method;
      run.end(0);
      double[] first = mean(squares(run.model.weights, TwoTasks.samples(0)));
      assertFisher(ewc.fisher(), first, 1);
      run.steps(1, 1);
      run.end(1);
      double[] both = mean(squares(run.model.weights, TwoTasks.samples(1)));
      for (int i = 0; i < both.length; i++) both[i] += 0.25 * first[i];
      assertFisher(ewc.fisher(), both, 2);
    }
  }

  @Test
  void fewerSamplesWhereWanted() {
    try (Ops ops = TinyModel.cpu();
        var run = new TwoTasks(folder, ops, 1e-3, "method.name=ewc", "method.ewc.samples=1")) {
      run.end(0);
      int same = 0;
      double[] fisher = ((Ewc) run.method).fisher().flat().toDoubles();
      for (double[] one : squares(run.model.weights, TwoTasks.samples(0))) {
        double apart = 0, size = 0;
        for (int i = 0; i < one.length; i++) {
          apart += Math.abs(fisher[i] - one[i]);
          size += one[i];
        }
        if (apart <= BF16 * size) same++;
      }
      assertThat(same).isEqualTo(1);
    }
  }

  @Test
  void theAnchorIsTheWeightsToTheBit() {
    try (Ops ops = TinyModel.cpu();
        var run = new TwoTasks(folder, ops, 1e-3, "method.name=ewc")) {
      assertThat(run.method.storedBytes()).isZero();
      run.learn(0, 1);
      assertThat(((Ewc) run.method).anchor().flat().toFloats()).isEqualTo(run.weights());
      assertThat(run.method.storedBytes()).isEqualTo(8 * run.model.weights.flat().size());
    }
  }

  @Test
  void gradientIsThatOfThePenalty() {
    try (Ops ops = new ReferenceOps(DType.F64);
        var run = new TwoTasks(folder, ops, 1e-3, "method.name=ewc", "method.ewc.lambda=50")) {
      run.end(0);
      var random = new SplittableRandom(3);
      Tensor w = run.model.weights.flat();
      for (int i = 0; i < w.size(); i++) w.add(i, 0.1 * random.nextGaussian());
      var g = new Weights(TwoTasks.SHAPE, ops, run.memory, "gradients");
      run.method.addTo(new Gradients(run.model.weights, g, Step.of(List.of()), new Losses()));
      double[] gradient = g.flat().toDoubles();
      double most = 0;
      for (double d : gradient) most = Math.max(most, Math.abs(d));
      assertThat(most).isPositive();
      for (int k = 0; k < 200; k++) {
        int i = random.nextInt(gradient.length);
        double h = 1e-3, at = w.get(i), up, down;
        w.set(i, at + h);
        up = penalty(run, g);
        w.set(i, at - h);
        down = penalty(run, g);
        w.set(i, at);
        assertThat(gradient[i]).isCloseTo((up - down) / (2 * h), within(DIFFERENCES * most));
      }
    }
  }

  private static double penalty(TwoTasks run, Weights g) {
    var losses = new Losses();
    run.method.addTo(new Gradients(run.model.weights, g, Step.of(List.of()), losses));
    assertThat(losses.total())
        .isCloseTo(50 * losses.means().get("ewc"), within(1e-9 * losses.total()));
    return losses.total();
  }

  @Test
  void clippingSeesThePull() {
    try (Ops ops = TinyModel.cpu();
        var run = new TwoTasks(folder, ops, 1e-3, "method.name=ewc", "method.ewc.lambda=1e4")) {
      run.learn(0, 2);
      var unit = new dev.seekr.trainer.Unit.Fresh(run.context(1).samples());
      var result = run.learner.step(0, List.of(unit), 1e-3);
      double norm = Math.sqrt(ops.sumSquares(run.learner.grads().flat()));
      assertThat(result.gradNorm()).isEqualTo(norm);
      run.learner.gradients(0, List.of(unit), new Losses());
      assertThat(Math.sqrt(ops.sumSquares(run.learner.grads().flat()))).isNotEqualTo(norm);
    }
  }

  @Test
  void strongPenaltiesHoldWeightsBack() {
    double[] moved = new double[2];
    String[] lambdas = {"0", "1e7"};
    for (int i = 0; i < 2; i++) {
      try (Ops ops = TinyModel.cpu();
          var run =
              new TwoTasks(
                  folder.resolve(lambdas[i]),
                  ops,
                  1e-3,
                  "method.name=ewc",
                  "method.ewc.lambda=" + lambdas[i])) {
        run.learn(0, 10);
        float[] anchor = run.weights();
        var losses = run.learn(1, 10);
        if (i == 1) assertThat(losses.means().get("ewc")).isPositive();
        else assertThat(losses.means()).doesNotContainKey("ewc");
        moved[i] = TwoTasks.distance(run.weights(), anchor);
      }
    }
    assertThat(moved[1]).isPositive().isLessThan(0.8 * moved[0]);
  }
}
