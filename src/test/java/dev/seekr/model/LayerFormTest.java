package dev.seekr.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What families do beside what all do: biases, head norms, layers without rotation, windows. */
class LayerFormTest {
  /** float32 has 24 bits, 6e-8 of a number: a share of the loss, and of all gradients together. */
  private static final double ROUNDING = 1e-4;

  private static LlamaConfig config(LayerForm... forms) {
    return TinyModel.config(31, 12, 20, 2, 4, 2, 6, true).with(List.of(forms));
  }

  private static final Batch BATCH = new Batch(TinyModel.samples(3, 9, 31, 3));

  /** All weights away from where they begin, so that no term vanishes. */
  private static LlamaModel model(LlamaConfig config, Ops ops, Memory memory, Recompute recompute) {
    var weights = new Weights(config, ops, memory, "weights");
    weights.randomize(new SplittableRandom(1));
    var random = new SplittableRandom(2);
    for (var block : weights.blocks()) {
      float[] values = block.tensor().toFloats();
      for (int i = 0; i < values.length; i++) values[i] += (float) (0.2 * random.nextGaussian());
      block.tensor().copyFrom(values);
    }
    return new LlamaModel(config, weights, ops, recompute);
  }

  private static double loss(LlamaModel model) {
    return model.forward(BATCH).loss(OutputLoss.labels(BATCH, 1)).nllSum();
  }

  private static Weights gradients(LlamaModel model, Memory memory) {
    var grads = new Weights(model.config, model.ops(), model.ops().wide(), memory, "gradients");
    model.forward(BATCH).backward(OutputLoss.labels(BATCH, 1), AttentionTap.NONE, grads, false);
    return grads;
  }

  /** Every block's gradient, by central differences in double precision. */
  @ParameterizedTest
  @CsvSource({
    "true, false, true, 0, none",
    "false, true, true, 0, feed_forward",
    "true, true, false, 0, layers",
    "false, false, true, 2, layers",
    "true, true, true, 3, feed_forward"
  })
  void gradientsAreThoseOfTheLoss(
      boolean bias, boolean norm, boolean rope, int window, Recompute recompute) {
    var config =
        config(new LayerForm(bias, norm, rope, window), new LayerForm(bias, norm, true, 0));
    try (var ops = new ReferenceOps(DType.F64);
        var memory = new Memory("test");
        var model = model(config, ops, memory, recompute)) {
      var grads = gradients(model, memory);
      Differences.assertGradients(model.weights, grads, () -> loss(model));
    }
  }

  /** The kernels compute what the reference does, and generation what a whole pass does. */
  @Test
  void kernelsAgreeWithTheReference() {
    var config = config(new LayerForm(true, true, true, 3), new LayerForm(true, true, false, 0));
    double[][] found = new double[2][];
    double[] losses = new double[2];
    Ops[] libraries = {TinyModel.cpu(), new ReferenceOps(DType.F64)};
    for (int k = 0; k < 2; k++) {
      try (Ops ops = libraries[k];
          var memory = new Memory("test");
          var model = model(config, ops, memory, Recompute.none)) {
        losses[k] = loss(model);
        found[k] = gradients(model, memory).flat().toDoubles();
        int[] prompt = {3, 1, 4, 1, 5, 9, 2, 6};
        int[] answer = new Generator(model).generate(List.of(prompt), 5, Set.of()).getFirst();
        var all = java.util.Arrays.copyOf(prompt, prompt.length + answer.length);
        System.arraycopy(answer, 0, all, prompt.length, answer.length);
        var pass = model.forward(Batch.of(new dev.seekr.data.Sample(all, 1)));
        Tensor logits = memory.allocate("logits", DType.F64, 1, config.V());
        for (int i = 0; i < answer.length; i++) {
          pass.logits(logits, prompt.length - 1 + i);
          double[] z = logits.toDoubles();
          for (double other : z) assertThat(z[answer[i]]).isGreaterThanOrEqualTo(other);
        }
      }
    }
    assertThat(losses[0]).isCloseTo(losses[1], within(ROUNDING * losses[1]));
    double error = 0, norm = 0;
    for (int i = 0; i < found[1].length; i++) {
      error += Math.pow(found[0][i] - found[1][i], 2);
      norm += Math.pow(found[1][i], 2);
    }
    assertThat(Math.sqrt(error / norm)).isLessThan(ROUNDING);
  }

  /** What begins where, and what decays. */
  @Test
  void roles() {
    var config = config(new LayerForm(true, true, true, 0), LayerForm.LLAMA);
    try (var ops = new ReferenceOps(DType.F32);
        var memory = new Memory("test")) {
      var weights = new Weights(config, ops, memory, "weights");
      weights.randomize(new SplittableRandom(1));
      assertThat(weights.byName().keySet())
          .contains(
              "model.layers.0.self_attn.k_proj.bias", "model.layers.0.self_attn.q_norm.weight")
          .doesNotContain("model.layers.1.self_attn.k_proj.bias");
      for (var block : weights.blocks()) {
        switch (block.role()) {
          case NORM -> assertThat(block.tensor().toFloats()).containsOnly(1);
          case BIAS -> assertThat(block.tensor().toFloats()).containsOnly(0);
          default -> assertThat(block.tensor().shape()).hasSize(2);
        }
        assertThat(block.role().decays()).isEqualTo(block.tensor().shape().length == 2);
      }
      long counted = weights.byName().values().stream().mapToLong(Tensor::size).sum();
      assertThat(config.parameters()).isEqualTo(counted);
    }
  }

  @Test
  void aPassThatIsOverSaysSo() {
    try (var ops = new ReferenceOps(DType.F32);
        var memory = new Memory("test");
        var model = model(config(LayerForm.LLAMA, LayerForm.LLAMA), ops, memory, Recompute.none)) {
      var first = model.forward(BATCH);
      model.with(Adapters.NONE).forward(BATCH);
      assertThat(
              org.assertj.core.api.Assertions.catchThrowable(
                  () -> first.loss(OutputLoss.labels(BATCH, 1))))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("this pass has ended: another one began");
    }
  }
}
