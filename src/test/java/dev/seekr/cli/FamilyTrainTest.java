package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.model.LlamaConfig;
import dev.seekr.report.RunLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** SEEKR learns two made-up tasks on models whose layers are not LLaMA's. */
class FamilyTrainTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path FAMILIES = Path.of("src/test/resources/families");

  @TempDir Path folder;

  /** A tiny model of a family with a tokenizer of whole words, one for each row. */
  private Path model(String family) throws IOException {
    Path model = Files.createDirectory(folder.resolve("model"));
    for (String file : List.of("config.json", "generation_config.json", "model.safetensors"))
      Files.copy(FAMILIES.resolve(family).resolve("v5").resolve(file), model.resolve(file));
    var tokenizer = JSON.createObjectNode().put("version", "1.0");
    tokenizer.putObject("pre_tokenizer").put("type", "WhitespaceSplit");
    var words = tokenizer.putObject("model").put("type", "WordLevel").put("unk_token", "w0");
    var vocabulary = words.putObject("vocab");
    for (int id = 0; id < LlamaConfig.read(model).V(); id++) vocabulary.put("w" + id, id);
    Files.writeString(model.resolve("tokenizer.json"), tokenizer.toString());
    return model;
  }

  /** Words of which the answer is the one whose place is given, which then is the task. */
  private void task(String name, int place, long seed) throws IOException {
    var random = new SplittableRandom(seed);
    Path task = Files.createDirectories(folder.resolve("data").resolve(name));
    for (String split : List.of("train", "test")) {
      var all = JSON.createArrayNode();
      for (int i = 0; i < 12; i++) {
        int[] ids = random.ints(12, 3, 20).toArray();
        var prompt = new StringBuilder();
        for (int id : ids) prompt.append("w").append(id).append(' ');
        all.addObject().put("prompt", prompt.toString().strip()).put("answer", "w" + ids[place]);
      }
      Files.writeString(task.resolve(split + ".json"), all.toString());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"mistral", "qwen3"})
  void seekr(String family) throws IOException {
    Path model = model(family), out = folder.resolve("run");
    task("first", 11, 1);
    task("second", 10, 2);
    var run =
        CommandLineRun.of(
            "train",
            "model.path=" + model,
            "data.root=" + folder.resolve("data"),
            "data.tasks=[first, second]",
            "method.name=seekr",
            "method.replay_samples=6",
            "method.seekr.lambda2=1",
            "train.epochs=12",
            "train.batch=6",
            "train.lr=1e-2",
            "eval.max_new_tokens=2",
            "run.out=" + out);
    assertThat(run.code()).as(run.err()).isZero();
    var steps =
        RunLog.read(out.resolve("log.jsonl")).stream()
            .filter(e -> e.path("event").asText().equals("step"))
            .toList();
    var first = steps.stream().filter(s -> s.path("task").asText().equals("first")).toList();
    var second = steps.subList(first.size(), steps.size());
    assertThat(first).isNotEmpty();
    assertLearns(first);
    assertLearns(second);
    // Heads of the old model are distilled into the new one on what was kept.
    var attention =
        second.stream().map(s -> s.path("losses").path("attention").asDouble()).toList();
    assertThat(attention).anyMatch(kl -> kl > 1e-4).allMatch(Double::isFinite);
    var saved = LlamaConfig.read(out.resolve("models/02-second"));
    var origin = LlamaConfig.read(model);
    assertThat(saved.forms()).isEqualTo(origin.forms());
    assertThat(saved.rope()).isEqualTo(origin.rope());
  }

  private static void assertLearns(List<JsonNode> steps) {
    double before = taskLoss(steps.getFirst()), after = taskLoss(steps.getLast());
    assertThat(after).isLessThan(0.7 * before);
  }

  private static double taskLoss(JsonNode step) {
    return step.path("losses").path("task").asDouble(Double.NaN);
  }
}
