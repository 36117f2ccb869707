package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.OLoraSettings.Form;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.disk.RunFolder;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Lora;
import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.safetensors.Safetensors;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class OLoraTest {
  /** Of central differences in double: 1e-16 of a penalty of about one, over their step. */
  private static final double DIFFERENCES = 1e-8;

  /** A share of a loss whose weights were merged, in float32 of 24 bits, after some layers. */
  private static final double ROUNDING_MERGED = 1e-4;

  @TempDir Path folder;
  private int runs;

  private static String[] settings(String name, double lambda) {
    return new String[] {
      "method.name=" + name,
      "method.lora.rank=2",
      "method.lora.alpha=8",
      "method.lora.targets=[q_proj, v_proj, down_proj]",
      "method.olora.lambda=" + lambda
    };
  }

  /**
   * What two tasks came to.
   *
   * @param weights at the end, adapters merged
   * @param overlap the orthogonality loss of the second task as it is trained
   */
  private record Outcome(float[] weights, List<Double> overlap) {}

  private Outcome train(String... settings) {
    var overlap = new ArrayList<Double>();
    try (Ops ops = TinyModel.cpu();
        var run = new TwoTasks(folder.resolve("run" + runs++), ops, 1e-2, settings)) {
      for (int stage = 0; stage < 2; stage++) {
        float[] before = run.weights();
        run.begin(stage);
        for (int epoch = 0; epoch < 15; epoch++) {
          var means = run.steps(stage, 1).means();
          if (means.containsKey("orthogonality")) overlap.add(means.get("orthogonality"));
        }
        assertThat(run.weights()).as("frozen weights").isEqualTo(before);
        double adapted = run.loss(stage);
        run.end(stage);
        assertThat(run.weights()).as("merged weights").isNotEqualTo(before);
        assertThat(run.loss(stage)).isCloseTo(adapted, within(ROUNDING_MERGED * adapted));
      }
      return new Outcome(run.weights(), overlap);
    }
  }

  @Test
  void withoutTheLossItIsOneAdapterATask() {
    assertThat(train(settings("olora", 0)).weights).isEqualTo(train(settings("lora", 0)).weights);
  }

  private static String[] settings(Form form, double lambda) {
    var settings = new ArrayList<>(List.of(settings("olora", lambda)));
    settings.add("method.olora.form=" + form);
    return settings.toArray(String[]::new);
  }

  /** The pull of the form without sign does not fade where directions are nearly orthogonal. */
  @ParameterizedTest
  @CsvSource({"square, 0.02", "abs, 0.1"})
  void theLossIsThereAndAStrongOneMakesDirectionsOrthogonal(Form form, double left) {
    var weak = train(settings(form, 1e-9)).overlap;
    var strong = train(settings(form, 100)).overlap;
    assertThat(weak).hasSize(15);
    assertThat(strong.getFirst()).isPositive();
    assertThat(strong.getLast()).isBetween(0.0, left * weak.getLast());
  }

  /** Where no lambda is given, both forms pull as strongly at an adapter that begins. */
  @Test
  void theFormsPullAlike() {
    var shape = TinyModel.config(13, 256, 12, 2, 2, 1, 4, true);
    double[] norms = new double[2];
    for (Form form : Form.values()) {
      var config =
          ConfigReader.parse("", "test", List.of("method.name=olora", "method.olora.form=" + form));
      try (var ops = new ReferenceOps(DType.F64);
          var memory = new Memory("test");
          LlamaModel model = TinyModel.random(shape, ops, memory, 5, Recompute.none);
          var method = new OLora(new Setup(config, model, new RunFolder(folder)))) {
        var context = new Method.Context(0, "task", List.of(), null);
        method.begin(context);
        method.end(context);
        method.begin(new Method.Context(1, "task", List.of(), null));
        Lora lora = (Lora) method.trained(), g = lora.like(ops, memory, "gradients");
        method.addTo(new Gradients(lora, g, Step.of(List.of()), new Losses()));
        norms[form.ordinal()] = Math.sqrt(ops.sumSquares(g.flat()));
      }
    }
    assertThat(norms[1]).isPositive();
    assertThat(norms[0] / norms[1]).isBetween(0.8, 1.25);
  }

  @ParameterizedTest
  @EnumSource
  void theGradientIsThatOfTheLoss(Form form) {
    var shape = TinyModel.config(13, 8, 12, 2, 2, 1, 4, true);
    var config = ConfigReader.parse("", "test", List.of(settings(form, 0.7)));
    try (var ops = new ReferenceOps(DType.F64);
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(shape, ops, memory, 5, Recompute.none);
        var method = new OLora(new Setup(config, model, new RunFolder(folder)))) {
      for (int stage = 0; stage < 3; stage++) {
        var context = new Method.Context(stage, "task", List.of(), null);
        method.begin(context);
        if (stage < 2) method.end(context);
      }
      Lora lora = (Lora) method.trained();
      Lora grads = lora.like(ops, memory, "gradients");
      method.addTo(new Gradients(lora, grads, Step.of(List.of()), new Losses()));
      assertThat(ops.sumSquares(grads.flat())).isPositive();
      for (long i = 0; i < lora.flat().size(); i += 5) {
        double old = lora.flat().get(i), h = 1e-5;
        lora.flat().set(i, old + h);
        double up = total(method, lora, ops);
        lora.flat().set(i, old - h);
        double down = total(method, lora, ops);
        lora.flat().set(i, old);
        assertThat(grads.flat().get(i)).isCloseTo((up - down) / (2 * h), within(DIFFERENCES));
      }
    }
  }

  private static double total(OLora method, Lora lora, Ops ops) {
    try (var memory = new Memory("test")) {
      var losses = new Losses();
      var g = lora.like(ops, memory, "gradients");
      method.addTo(new Gradients(lora, g, Step.of(List.of()), losses));
      return losses.total();
    }
  }

  @Test
  void adaptersAreWrittenAsPeftReadsThem() {
    var settings = new ArrayList<>(List.of(settings("olora", 0.5)));
    settings.add("method.lora.dropout=0.1");
    train(settings.toArray(String[]::new));
    Path adapter = folder.resolve("run0/adapters/02");
    assertThat(adapter.resolve("adapter_config.json"))
        .content()
        .contains("\"peft_type\" : \"LORA\"", "\"r\" : 2", "\"lora_alpha\" : 8.0", "down_proj")
        .contains("\"lora_dropout\" : 0.1,");
    try (var file = Safetensors.open(adapter.resolve("adapter_model.safetensors"))) {
      assertThat(file.names()).hasSize(3 * 3 * 2);
      String at = "base_model.model.model.layers.2.self_attn.v_proj.";
      Tensor a = file.get(at + "lora_A.weight"), b = file.get(at + "lora_B.weight");
      assertThat(a.shape()).containsExactly(2, 24);
      assertThat(b.shape()).containsExactly(12, 2);
      assertThat(b.toDoubles()).isNotEqualTo(new double[24]);
    }
  }
}
