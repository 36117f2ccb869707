package dev.seekr.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.backends.Backends;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.disk.RunFolder;
import dev.seekr.method.SeqFT;
import dev.seekr.method.Setup;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each family computes what transformers computes with it, on each backend and from folders of both
 * versions. The models and their numbers are {@code scripts/families.py}'s; property {@code
 * seekr.test.families} names a folder with others.
 */
class FamiliesTest {
  private static final Path ALL =
      Path.of(System.getProperty("seekr.test.families", "src/test/resources/families"));

  /** Where trained models are left, for {@code families.py check}. */
  private static final Path TRAINED = Path.of("target/families");

  private static final double BOUND = 1e-4;

  /** Family, version and backend. */
  static Stream<Arguments> cases() {
    return Stream.of(Family.values())
        .flatMap(
            family ->
                Stream.of("v4", "v5")
                    .flatMap(
                        version ->
                            backends(version)
                                .map(ops -> Arguments.of(family.type(), version, ops))));
  }

  /**
   * Both versions are folders of one model, which an emulated device computes once; and what CPUs
   * have no part in is the same on every instruction set of theirs.
   */
  private static Stream<String> backends(String version) {
    if (TinyModel.namesIsa()) return Stream.of("cpu");
    return version.equals("v5")
        ? Stream.of("cpu", "reference", "cuda")
        : Stream.of("cpu", "reference");
  }

  private static Ops ops(String backend) {
    return switch (backend) {
      case "cpu" -> TinyModel.cpu();
      case "reference" -> new ReferenceOps(DType.F32);
      default -> Backends.open(ConfigReader.read(List.of(), List.of("run.backend=cuda")).run());
    };
  }

  private static JsonNode reference(String family) throws IOException {
    return new ObjectMapper().readTree(ALL.resolve(family).resolve("reference.json").toFile());
  }

  private static LlamaModel load(Path folder, Ops ops, Memory memory) {
    var config = LlamaConfig.read(folder);
    var weights = new Weights(config, ops, memory, "weights");
    ModelFolder.load(folder, weights, ops);
    return new LlamaModel(config, weights, ops, Recompute.none);
  }

  private static List<int[]> sequences(JsonNode reference, String name) {
    var all = new ArrayList<int[]>();
    for (JsonNode one : reference.path(name))
      all.add(IntStream.range(0, one.size()).map(i -> one.get(i).intValue()).toArray());
    return all;
  }

  private static List<Sample> samples(JsonNode reference) {
    var samples = new ArrayList<Sample>();
    for (int[] tokens : sequences(reference, "tokens"))
      samples.add(new Sample(tokens, reference.path("answers").get(samples.size()).intValue()));
    return samples;
  }

  /** Of the last place of each sequence, all of them in one pass. */
  private static void assertLogits(LlamaModel model, JsonNode reference, String name) {
    var batch = new Batch(samples(reference));
    int[] cu = batch.cuSeqlens(), last = new int[cu.length - 1];
    for (int s = 0; s < last.length; s++) last[s] = cu[s + 1] - 1;
    int V = model.config.V();
    try (var memory = new Memory("logits")) {
      Tensor logits = memory.allocate("logits", DType.F32, last.length, V);
      model.begin(batch, false).all().logits(logits, last);
      float[] found = logits.toFloats();
      double error = 0, norm = 0;
      for (int s = 0; s < last.length; s++) {
        JsonNode expected = reference.path(name).get(s);
        assertThat(expected).hasSize(V);
        for (int v = 0; v < V; v++) {
          error += Math.pow(found[s * V + v] - expected.get(v).doubleValue(), 2);
          norm += Math.pow(expected.get(v).doubleValue(), 2);
        }
      }
      assertThat(Math.sqrt(error / norm)).as(name).isLessThan(BOUND);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void logitsAndGreedyTokens(String family, String version, String backend) throws IOException {
    var reference = reference(family);
    try (Ops ops = ops(backend);
        var memory = new Memory("test");
        var model = load(ALL.resolve(family).resolve(version), ops, memory)) {
      assertLogits(model, reference, "logits");
      var prompts = sequences(reference, "tokens");
      var expected = sequences(reference, "greedy");
      var found = new Generator(model).generate(prompts, expected.getFirst().length, Set.of());
      assertThat(found).usingRecursiveComparison().isEqualTo(expected);
    }
  }

  /** And what is saved then is read again as the same model, here and by families.py. */
  @ParameterizedTest
  @MethodSource("cases")
  void twoStepsOfTraining(String family, String version, String backend) throws IOException {
    var reference = reference(family);
    Path saved = TRAINED.resolve(family).resolve(version + "-" + backend);
    Path folder = ALL.resolve(family).resolve(version);
    try (Ops ops = ops(backend);
        var memory = new Memory("test");
        var model = load(folder, ops, memory)) {
      train(model, reference);
      assertLogits(model, reference, "trained_logits");
      Files.createDirectories(saved.getParent());
      ModelFolder.save(saved, folder, model, DType.F32, null);
      try (var again = load(saved, ops, memory)) {
        assertThat(again.weights.flat().toFloats()).isEqualTo(model.weights.flat().toFloats());
        assertThat(again.config)
            .usingRecursiveComparison()
            .ignoringFields("json")
            .isEqualTo(model.config);
        assertLogits(again, reference, "trained_logits");
      }
    }
  }

  private static void train(LlamaModel model, JsonNode reference) {
    var overrides = new ArrayList<String>();
    for (var setting : reference.path("settings").properties())
      overrides.add("train.%s=%s".formatted(setting.getKey(), setting.getValue()));
    RunConfig config = ConfigReader.read(List.of(), overrides);
    var method = new SeqFT(new Setup(config, model, new RunFolder(TRAINED)));
    try (var learner = new Learner(model, method, config.train())) {
      int i = 0;
      for (JsonNode step : reference.path("steps")) {
        var units = List.<Unit>of(new Unit.Fresh(samples(reference)));
        var taken = learner.step(i++, units, config.train().lr());
        double loss = step.path("loss").doubleValue(), norm = step.path("norm").doubleValue();
        assertThat(Math.abs(taken.losses().total() / loss - 1)).as("loss").isLessThan(BOUND);
        assertThat(Math.abs(taken.gradNorm() / norm - 1)).as("norm").isLessThan(BOUND);
      }
    }
  }

  /** Both versions describe the same model, and no two layers' forms are mixed up. */
  @Test
  void forms() {
    for (Family family : Family.values()) {
      var old = LlamaConfig.read(ALL.resolve(family.type()).resolve("v4"));
      var now = LlamaConfig.read(ALL.resolve(family.type()).resolve("v5"));
      assertThat(now.forms()).as(family.type()).isEqualTo(old.forms());
      assertThat(now.rope()).as(family.type()).isEqualTo(old.rope());
      assertThat(now.eos()).isEqualTo(old.eos());
    }
  }
}
