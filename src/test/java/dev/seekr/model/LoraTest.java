package dev.seekr.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.config.LoraSettings.Projection;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.util.EnumSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class LoraTest {
  /** float32 has 24 bits, 6e-8 of a number: of all gradients together, after three layers. */
  private static final double ROUNDING = 1e-5;

  /** Of a loss whose merged weights were rounded besides: a sum of adapters to 24 bits. */
  private static final double ROUNDING_MERGED = 1e-4;

  private static final LlamaConfig CONFIG = TinyModel.config(31, 12, 20, 2, 4, 2, 6, true);
  private static final Batch BATCH = new Batch(TinyModel.samples(3, 9, CONFIG.V(), 3));

  private static Lora random(List<Projection> targets, Ops ops, Memory memory) {
    var lora = new Lora(CONFIG, new Lora.Shape(3, 5, targets), ops, memory, "adapters");
    lora.randomize(new SplittableRandom(4));
    var random = new SplittableRandom(5);
    for (var each : lora.blocks()) {
      Tensor block = each.tensor();
      for (long i = 0; i < block.size(); i++)
        block.set(i, block.get(i) + random.nextGaussian() * 0.2);
    }
    return lora;
  }

  private static final Dropout DROPOUT = new Dropout(0.3f, 17);

  private static double loss(LlamaModel model) {
    return model.forward(BATCH).loss(OutputLoss.labels(BATCH, 1)).nllSum();
  }

  @Test
  void newAdaptersChangeNothing() {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(CONFIG, ops, memory, 1, Recompute.none)) {
      double before = loss(model);
      var lora =
          new Lora(
              CONFIG, new Lora.Shape(3, 5, List.of(Projection.values())), ops, memory, "adapters");
      lora.randomize(new SplittableRandom(4));
      assertThat(loss(model.with(Adapters.of(lora)))).isEqualTo(before);
    }
  }

  /** Every adapter's gradient, by central differences in double precision. */
  @ParameterizedTest
  @CsvSource({
    "none, 0",
    "feed_forward, 0",
    "layers, 0",
    "none, 0.3",
    "feed_forward, 0.3",
    "layers, 0.3"
  })
  void gradientsAreThoseOfTheLoss(Recompute recompute, float p) {
    try (var ops = new ReferenceOps(DType.F64);
        var memory = new Memory("test");
        LlamaModel base = TinyModel.random(CONFIG, ops, memory, 1, recompute)) {
      var lora = random(List.of(Projection.values()), ops, memory);
      var model = base.with(Adapters.of(lora)).with(new Dropout(p, 17));
      var grads = lora.like(ops, memory, "gradients");
      model.forward(BATCH).backward(OutputLoss.labels(BATCH, 1), AttentionTap.NONE, grads, false);
      Differences.assertGradients(lora, grads, () -> loss(model));
    }
  }

  @ParameterizedTest
  @EnumSource(Projection.class)
  void mergedWeightsDoWhatTheAdaptersDid(Projection target) {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(CONFIG, ops, memory, 1, Recompute.none)) {
      double plain = loss(model);
      var lora = random(List.of(target), ops, memory);
      double adapted = loss(model.with(Adapters.of(lora)));
      lora.merge(model.weights);
      assertThat(adapted).isNotCloseTo(plain, within(1e-3));
      assertThat(loss(model)).isCloseTo(adapted, within(ROUNDING_MERGED * Math.abs(adapted)));
      assertThat(lora.byName().keySet())
          .hasSize(2 * CONFIG.L())
          .allMatch(name -> name.contains(target.name() + ".lora_"));
    }
  }

  /** The kernels and the reference agree, and no gradient of a frozen weight is asked for. */
  @ParameterizedTest
  @ValueSource(floats = {0, 0.3f})
  void kernelsAgreeWithTheReference(float p) {
    var targets = List.copyOf(EnumSet.allOf(Projection.class));
    double[][] found = new double[2][];
    Ops[] libraries = {TinyModel.cpu(), new ReferenceOps(DType.F64)};
    for (int k = 0; k < 2; k++) {
      try (Ops ops = libraries[k];
          var memory = new Memory("test");
          LlamaModel model = TinyModel.random(CONFIG, ops, memory, 1, Recompute.none)) {
        var lora = random(targets, ops, memory);
        var grads = lora.like(ops, memory, "gradients");
        model
            .with(Adapters.of(lora))
            .with(new Dropout(p, 17))
            .forward(BATCH)
            .backward(OutputLoss.labels(BATCH, 1), AttentionTap.NONE, grads, false);
        found[k] = grads.flat().toDoubles();
      }
    }
    double error = 0, norm = 0;
    for (int i = 0; i < found[1].length; i++) {
      error += Math.pow(found[0][i] - found[1][i], 2);
      norm += found[1][i] * found[1][i];
    }
    assertThat(norm).isPositive();
    assertThat(Math.sqrt(error / norm)).isLessThan(ROUNDING);
  }

  @ParameterizedTest
  @EnumSource(Projection.class)
  void everyAdapterDrops(Projection target) {
    try (var ops = new ReferenceOps(DType.F64);
        var memory = new Memory("test");
        LlamaModel base = TinyModel.random(CONFIG, ops, memory, 1, Recompute.none)) {
      var model = base.with(Adapters.of(random(List.of(target), ops, memory)));
      double whole = loss(model), dropped = loss(model.with(DROPOUT));
      assertThat(dropped).isNotCloseTo(whole, within(1e-3));
      assertThat(loss(model.with(DROPOUT))).as("again").isEqualTo(dropped);
      assertThat(loss(model)).as("without").isEqualTo(whole);
      assertThat(loss(model.with(new Dropout(0.3f, 18)))).isNotCloseTo(dropped, within(1e-3));
      assertThat(loss(model.with(new Dropout(0, 17)))).as("of none").isEqualTo(whole);
    }
  }
}
